import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { Room } from '../../src/client/room.ts'
import type { RoomMessage } from '../../src/client/room-types.ts'
import { More } from './icons.tsx'

type Props = { message: RoomMessage; room: Room; isClosed: boolean; onEdit: (message: RoomMessage) => void }

/** What one can do with an own message: a button beside it, and the row that it opens below. */
export const useMessageMenu = ({ message, room, isClosed, onEdit }: Props) => {
  const [step, setStep] = useState<'closed' | 'open' | 'asking'>('closed')
  const [problem, setProblem] = useState('')
  const button = useRef<HTMLButtonElement>(null)
  const row = useRef<HTMLDivElement>(null)
  const id = useId()

  // Each step begins at its first button.
  useEffect(() => {
    if (step !== 'closed') row.current?.querySelector('button')?.focus()
  }, [step])

  const close = () => {
    setStep('closed')
    button.current?.focus()
  }

  const edit = () => {
    setStep('closed')
    onEdit(message)
  }

  const remove = async () => {
    close()
    setProblem('')
    const list = button.current?.closest<HTMLElement>('.messages')
    try {
      if (message.id !== null) await room.remove(message.id)
      // The button is gone: whoever goes by keyboard stays near.
      list?.focus()
    } catch {
      setProblem('The message could not be removed.')
    }
  }

  const toggle = (
    <button
      ref={button}
      class="more"
      aria-label="Change or remove this message"
      title="Change or remove"
      aria-expanded={step !== 'closed'}
      aria-controls={id}
      onClick={() => setStep(step === 'closed' ? 'open' : 'closed')}
    >
      <More />
    </button>
  )

  const menu = (
    <div
      ref={row}
      id={id}
      class="message-menu"
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
      {step === 'open' && !isClosed && (
        <button class="link" onClick={edit}>
          Edit
        </button>
      )}
      {step === 'open' && (
        <button class="link" onClick={() => setStep('asking')}>
          Remove
        </button>
      )}
      {step === 'asking' && (
        <>
          <span>Remove it for everyone?</span>
          <button class="link is-bad" onClick={() => void remove()}>
            Remove it
          </button>
          <button class="link" onClick={close}>
            Keep it
          </button>
        </>
      )}
      <p class="menu-problem" role="alert">
        {problem}
      </p>
    </div>
  )

  return { toggle, menu, isOpen: step !== 'closed' }
}
