import type { ComponentChildren } from 'preact'
import type { MessageState } from '../../src/client/room-types.ts'

const Icon = ({ children, viewBox = '0 0 24 24' }: { children: ComponentChildren; viewBox?: string }) => (
  <svg viewBox={viewBox} class="icon" aria-hidden="true" focusable="false">
    {children}
  </svg>
)

export const Back = () => (
  <Icon>
    <path d="M15 5l-7 7 7 7" />
  </Icon>
)

export const Arrow = () => (
  <Icon>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
)

export const Down = () => (
  <Icon>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
)

export const Plus = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
)

export const Leave = () => (
  <Icon>
    <path d="M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 16l-4-4 4-4M6 12h10" />
  </Icon>
)

export const Clip = () => (
  <Icon>
    <path d="M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.3a3 3 0 0 1 4.2 4.2l-7.8 7.9a1.5 1.5 0 0 1-2.1-2.1L14 7.6" />
  </Icon>
)

export const Close = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
)

export const Done = () => (
  <Icon>
    <path d="M5 12.5l4.5 4.5L19 7.5" />
  </Icon>
)

export const More = () => (
  <Icon>
    <path d="M5.5 12h.01M12 12h.01M18.5 12h.01" />
  </Icon>
)

export const Page = () => (
  <Icon>
    <path d="M7 3h7l5 5v11a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2M13.5 3.5V9H19M9 13.5h6M9 17h4" />
  </Icon>
)

export const Broken = () => (
  <Icon>
    <path d="M12 8v5M12 16.5v.01M4.5 19h15L12 5z" />
  </Icon>
)

export const Save = () => (
  <Icon>
    <path d="M12 4v11M7 10.5l5 5 5-5M5 20h14" />
  </Icon>
)

/** The mark of the house: a woven edge. */
export const Mark = () => (
  <svg viewBox="0 0 32 32" class="mark" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" class="mark-ground" />
    <path d="M9 5v22M13 5v22" class="mark-edge" />
    <path d="M13 9h13M13 14h13M13 19h13M13 24h13" class="mark-weft" />
  </svg>
)

const names: Record<Exclude<MessageState, 'received'>, string> = {
  sending: 'Sending',
  failed: 'Not sent',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
}

/** One tick: stored. Two: somebody has it. Two in colour: somebody has read it. */
export const Ticks = ({ state }: { state: MessageState }) => {
  if (state === 'received') return null
  return (
    <span class={`ticks ${state}`} title={names[state]}>
      <svg viewBox="0 0 20 12" aria-hidden="true" focusable="false">
        {state === 'sending' && <path d="M10 2.5v4l2.6 1.5M10 1a5 5 0 1 1 0 10a5 5 0 0 1 0-10" />}
        {state === 'failed' && <path d="M10 2v5M10 10v.2" />}
        {state === 'sent' && <path d="M5 6.5l3.5 3.5L15 2" />}
        {(state === 'delivered' || state === 'read') && <path d="M1.5 6.5L5 10l6.5-8M9 9l1 1 6.5-8" />}
      </svg>
      <span class="hidden">{names[state]}</span>
    </span>
  )
}
