import type { RoomMessage } from '../../src/client/room-types.ts'
import type { Conversation } from './api.ts'

const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' })
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' })
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

const dayOf = (at: Date): number => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()

const daysAgo = (at: Date, now: Date): number => Math.round((dayOf(now) - dayOf(at)) / 86_400_000)

export const timeOf = (at: string): string => time.format(new Date(at))

/** Of a separator between days. */
export const dayLabel = (at: string, now = new Date()): string => {
  const ago = daysAgo(new Date(at), now)
  if (ago === 0) return 'Today'
  if (ago === 1) return 'Yesterday'
  return (ago > 1 && ago < 7 ? weekday : date).format(new Date(at))
}

/** Of a list: the time of today, the day of this week, the date of what is older. */
export const whenOf = (at: string, now = new Date()): string => {
  const ago = daysAgo(new Date(at), now)
  if (ago <= 0) return timeOf(at)
  if (ago === 1) return 'Yesterday'
  return (ago < 7 ? weekday : shortDate).format(new Date(at))
}

export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .flatMap((word) => /^./u.exec(word)?.[0] ?? [])
    .slice(0, 2)
    .join('')
    .toUpperCase()

/** `name`: of the product; null when it has none any more, undefined until it is known. */
export const subjectOf = ({ subject: { type, id } }: Conversation, name?: string | null): string => {
  if (type === 'support') return 'Support'
  if (type === 'product' && name !== null) return name ?? 'Product'
  return `${type === 'order' ? 'Order' : 'Product'} ${(id ?? '').slice(-6).toUpperCase()}`
}

/** For the customer it is about something, for the shop with somebody. */
export const isCustomer = ({ customer }: Conversation, self: string): boolean => customer.id === self

export const lastSeenOf = (at: string | null): string => (at === null ? 'Offline' : `Last seen ${whenOf(at)}`)

/** Several of one author within five minutes stand together. */
export const isContinued = (message: RoomMessage, before: RoomMessage | undefined): boolean =>
  before !== undefined &&
  message.from !== null &&
  before.from === message.from &&
  before.system === undefined &&
  Date.parse(message.at) - Date.parse(before.at) < 5 * 60_000

export const isNewDay = (message: RoomMessage, before: RoomMessage | undefined): boolean =>
  before === undefined || dayOf(new Date(before.at)) !== dayOf(new Date(message.at))

export const describeFailure = (code: string | undefined): string => {
  if (code === 'CONVERSATION_CLOSED') return 'Not sent: this conversation is closed.'
  if (code === 'ATTACHMENT_REFUSED') return 'Not sent: a file is not part of this conversation.'
  if (code === 'REMOVED') return 'Not sent: you are no longer part of this conversation.'
  return 'Not sent.'
}
