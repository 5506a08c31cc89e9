import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { Act } from './acts.ts'
import { More } from './icons.tsx'

type Props = {
  /** What the user may do with the conversation now. */
  acts: Act[]
  /** The question before it is done. */
  ask: (act: Act) => string
  onAct: (act: Act) => Promise<void>
}

const names: Record<Act, string> = { close: 'Close the conversation', leave: 'Leave the conversation' }

const label = 'Conversation options'

const answers = {
  close: { yes: 'Close it', no: 'Keep it open', problem: 'The conversation could not be closed.' },
  leave: { yes: 'Leave it', no: 'Stay', problem: 'You could not leave the conversation.' },
}

/** A button in the head of a conversation, and the card that it opens below; what is chosen there is asked once more. */
export const ConversationMenu = ({ acts, ask, onAct }: Props) => {
  const [step, setStep] = useState<'shut' | 'open' | Act>('shut')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const card = useRef<HTMLDivElement>(null)
  const id = useId()
  const asked = step === 'close' || step === 'leave' ? step : undefined

  // Each step begins at its first button.
  useEffect(() => {
    if (step !== 'shut') card.current?.querySelector('button')?.focus()
  }, [step])

  useEffect(() => {
    // What goes wrong is told in the card.
    if (step === 'shut' || isBusy) return
    const onOutside = ({ target }: Event) => {
      if (!root.current?.contains(target as Node)) setStep('shut')
    }
    document.addEventListener('pointerdown', onOutside)
    document.addEventListener('focusin', onOutside)
    return () => {
      document.removeEventListener('pointerdown', onOutside)
      document.removeEventListener('focusin', onOutside)
    }
  }, [step, isBusy])

  const shut = () => {
    setStep('shut')
    button.current?.focus()
  }

  const act = async (which: Act) => {
    if (isBusy) return
    setBusy(true)
    setProblem('')
    try {
      await onAct(which)
      shut()
    } catch {
      setProblem(`${answers[which].problem} Please try again.`)
    } finally {
      setBusy(false)
    }
  }

  return (
    <div
      ref={root}
      class="pane-menu"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && step !== 'shut' && !isBusy) shut()
      }}
    >
      <button
        ref={button}
        class="round"
        aria-label={label}
        title="Options"
        aria-expanded={step !== 'shut'}
        aria-controls={id}
        onClick={() => {
          if (isBusy) return
          setProblem('')
          setStep(step === 'shut' ? 'open' : 'shut')
        }}
      >
        <More />
      </button>
      <div
        ref={card}
        id={id}
        class="pane-card"
        role="group"
        aria-label={asked === undefined ? label : ask(asked)}
        hidden={step === 'shut'}
      >
        {step === 'open' &&
          acts.map((one) => (
            <button key={one} class="pane-act" onClick={() => setStep(one)}>
              {names[one]}
            </button>
          ))}
        {asked !== undefined && (
          <>
            <p>{ask(asked)}</p>
            <div class="pane-answers">
              <button class="link is-bad" aria-disabled={isBusy} onClick={() => void act(asked)}>
                {answers[asked].yes}
              </button>
              <button class="link" onClick={shut}>
                {answers[asked].no}
              </button>
            </div>
          </>
        )}
        <p class="menu-problem" role="alert">
          {problem}
        </p>
      </div>
    </div>
  )
}
