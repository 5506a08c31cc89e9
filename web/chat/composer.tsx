import { useEffect, useRef, useState } from 'preact/hooks'
import { limits } from '../../src/client/protocol-values.ts'
import type { Room } from '../../src/client/room.ts'
import { Arrow } from './icons.tsx'
import { isTouch } from './touch.ts'

/** What was begun in a conversation is there again when one comes back to it. */
const drafts = new Map<string, string>()

export const Composer = ({ id, room, isOver }: { id: string; room: Room; isOver: boolean }) => {
  const [text, setText] = useState(() => drafts.get(id) ?? '')
  const field = useRef<HTMLTextAreaElement>(null)
  const left = limits.content - text.length

  useEffect(() => {
    if (!isTouch()) field.current?.focus()
  }, [])
  useEffect(() => {
    if (text === '') drafts.delete(id)
    else drafts.set(id, text)
  }, [text])

  const submit = (event: Event) => {
    event.preventDefault()
    if (text.trim() === '' || left < 0 || isOver) return
    // A refusal is shown where the message stands.
    room.send(text.trim()).catch(() => undefined)
    setText('')
    field.current?.focus()
  }

  return (
    <form class="composer" onSubmit={submit}>
      <div class="field">
        <textarea
          ref={field}
          value={text}
          rows={1}
          placeholder="Write a message"
          aria-label="Message"
          aria-describedby={left < 400 ? 'composer-left' : undefined}
          aria-invalid={left < 0 ? true : undefined}
          disabled={isOver}
          enterkeyhint={isTouch() ? 'enter' : 'send'}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value)
            if (currentTarget.value !== '') room.typing()
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing || isTouch()) return
            submit(event)
          }}
        />
        {left < 400 && (
          <span class={left < 0 ? 'left is-over' : 'left'} id="composer-left">
            {left < 0 ? `${-left} too many` : `${left} left`}
          </span>
        )}
      </div>
      <button class="send" type="submit" aria-label="Send" aria-disabled={text.trim() === '' || left < 0}>
        <Arrow />
      </button>
    </form>
  )
}
