import { useEffect, useRef, useState } from 'preact/hooks'
import { limits } from '../../src/client/protocol-values.ts'
import type { Room } from '../../src/client/room.ts'
import type { RoomMessage } from '../../src/client/room-types.ts'
import { Arrow, Clip, Close, Done } from './icons.tsx'
import { isTouch } from './touch.ts'
import { TrayList } from './tray-list.tsx'
import type { Tray } from './tray.ts'
import { mediaTypes } from './upload.ts'
import { keepRoom } from './use-room.ts'
import { useTray } from './use-tray.ts'

type Props = {
  room: Room
  tray: Tray
  isOver: boolean
  /** The message whose text is in the field in place of a new one. */
  editing: RoomMessage | undefined
  onEdit: (message: RoomMessage | undefined) => void
}

/** What keeps a message from being sent now; empty: nothing. */
const waitOf = (chosen: Tray['all'], text: string): string => {
  if (chosen.some(({ state }) => state === 'uploading')) return 'Files are still being uploaded'
  if (chosen.some(({ state }) => state === 'checking')) return 'Files are still being checked'
  if (chosen.some(({ state }) => state === 'failed')) return 'Remove the files that cannot be sent'
  return text.trim() === '' && chosen.length === 0 ? 'Write a message first' : ''
}

export const Composer = ({ room, tray, isOver, editing, onEdit }: Props) => {
  const [text, setText] = useState(tray.text)
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const { all: chosen, tooMany } = useTray(tray)
  const field = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  /** What stands in the field while a message is changed; the draft waits. */
  const [change, setChange] = useState('')
  const shown = editing === undefined ? text : change
  const left = limits.content - shown.length
  const wait =
    editing === undefined ? waitOf(chosen, text) : change.trim() === '' ? 'Write something first' : ''
  const isStopped = wait !== '' || left < 0 || isOver || isBusy

  useEffect(() => {
    if (!isTouch()) field.current?.focus()
  }, [])
  useEffect(() => {
    tray.text = text
  }, [text])
  useEffect(() => {
    if (editing === undefined) return
    setChange(editing.content)
    setProblem('')
    const element = field.current
    element?.focus()
    // At its end, once the text is there.
    requestAnimationFrame(() => element?.setSelectionRange(element.value.length, element.value.length))
  }, [editing?.id])

  const stopEditing = () => {
    onEdit(undefined)
    field.current?.focus()
  }

  const saveChange = (message: RoomMessage) => {
    if (message.id !== null && change.trim() !== message.content) {
      room.edit(message.id, change.trim()).catch(() => setProblem('The message could not be changed.'))
    }
    stopEditing()
  }

  const sendNew = async () => {
    setBusy(true)
    try {
      await keepRoom(room, async () => {
        const attachments = await tray.take()
        // A refusal is shown where the message stands.
        room.send(text.trim(), { attachments }).catch(() => undefined)
        // What was written meanwhile is the next one; also when one has left.
        if (tray.text === text) tray.text = ''
        setText((now) => (now === text ? '' : now))
      })
    } catch {
      setProblem('The files could not be sent. Please try again.')
    } finally {
      setBusy(false)
    }
  }

  const submit = (event: Event) => {
    event.preventDefault()
    if (isStopped) return
    setProblem('')
    if (editing === undefined) void sendNew()
    else saveChange(editing)
    field.current?.focus()
  }

  const choose = (list: Iterable<File>) => {
    const files = [...list]
    if (files.length === 0 || editing !== undefined) return
    setProblem('')
    tray.add(files)
    field.current?.focus()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return
    if (event.key === 'Escape' && editing !== undefined) {
      event.preventDefault()
      stopEditing()
    } else if (event.key === 'ArrowUp' && shown === '' && editing === undefined) {
      // As in other chats: the last of one's own.
      const last = room.view.messages.findLast(isChangeable)
      if (last === undefined) return
      event.preventDefault()
      onEdit(last)
    } else if (event.key === 'Enter' && !event.shiftKey && !isTouch()) submit(event)
  }

  return (
    <form class="composer" onSubmit={submit}>
      {editing !== undefined && (
        <div class="editing">
          <span id="composer-editing">Change your message</span>
          <button type="button" class="round" onClick={stopEditing} aria-label="Leave it as it is">
            <Close />
          </button>
        </div>
      )}
      {editing === undefined && <TrayList all={chosen} onRemove={(key) => tray.remove(key)} />}
      <p class="composer-problem" role="alert">
        {tooMany && problem === '' ? `A message has at most ${limits.attachments} files.` : problem}
      </p>
      <div class="field">
        {editing === undefined && (
          <button
            type="button"
            class="round attach"
            aria-label="Attach files"
            title="Attach pictures or PDFs"
            aria-disabled={isOver}
            onClick={() => !isOver && picker.current?.click()}
          >
            <Clip />
          </button>
        )}
        <input
          ref={picker}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-label="Files to attach"
          multiple
          accept={mediaTypes.join(',')}
          onChange={({ currentTarget }) => {
            choose(currentTarget.files ?? [])
            // The same file again is a change, too.
            currentTarget.value = ''
          }}
        />
        <textarea
          ref={field}
          value={shown}
          rows={1}
          placeholder="Write a message"
          aria-label="Message"
          aria-describedby={
            [left < 400 && 'composer-left', editing !== undefined && 'composer-editing']
              .filter(Boolean)
              .join(' ') || undefined
          }
          aria-invalid={left < 0 ? true : undefined}
          disabled={isOver}
          enterkeyhint={isTouch() ? 'enter' : 'send'}
          onInput={({ currentTarget: { value } }) => {
            if (editing !== undefined) return setChange(value)
            setText(value)
            if (value !== '') room.typing()
          }}
          onPaste={(event) => {
            const files = [...(event.clipboardData?.files ?? [])]
            if (files.length === 0) return
            event.preventDefault()
            choose(files)
          }}
          onKeyDown={onKeyDown}
        />
        {left < 400 && (
          <span class={left < 0 ? 'left is-over' : 'left'} id="composer-left">
            {left < 0 ? `${-left} too many` : `${left} left`}
          </span>
        )}
      </div>
      <button
        class="send"
        type="submit"
        aria-label={editing === undefined ? 'Send' : 'Save'}
        title={wait}
        aria-disabled={isStopped}
      >
        {editing === undefined ? <Arrow /> : <Done />}
      </button>
    </form>
  )
}

/** One's own, as the room has it. */
export const isChangeable = ({ state, id, removedAt }: RoomMessage): boolean =>
  state !== 'received' && id !== null && removedAt === undefined
