import type { FrameOf, LogEvent, Member, Message } from '../chat/protocol.ts'
import type { ChatError, ChatErrorCode } from './chat-error.ts'

/**
 * `connecting`: the first attempt is under way. `online`: what happens is heard. `offline`: the connection is lost, and
 * another is being made. `closed`: for good.
 */
export type RoomStatus = 'connecting' | 'online' | 'offline' | 'closed'

/**
 * Of one's own message: `sending` until it is acknowledged, `failed` when the room refused it, then `sent`, and
 * `delivered` and `read` as soon as any other member has it. `received`: somebody else's.
 */
export type MessageState = 'sending' | 'failed' | 'sent' | 'delivered' | 'read' | 'received'

/** A message as a list shows it; one that is not acknowledged has neither id nor seq. `clientId` stays the same. */
export type RoomMessage = Omit<Message, 'id' | 'seq'> & {
  id: string | null
  seq: number | null
  state: MessageState
  /** Why it failed. */
  error?: ChatErrorCode
}

/** A file of a message; its variants are read with a token. */
export type AttachedFile = NonNullable<Message['attachments']>[number]

/** Where a message went: what `ack` says. */
export type Sent = { clientId: string; id: string; seq: number; at: string }

/**
 * Each event of the log comes once and in order of `seq`. `reset`: the room had to forget what it knew (its place in the
 * log is gone), and the newest messages come again.
 */
export type RoomEvent =
  | LogEvent
  | FrameOf<'receipt'>
  | FrameOf<'typing'>
  | FrameOf<'presence'>
  | { type: 'status'; status: RoomStatus; error?: ChatError }
  | { type: 'reset' }

export type Presence = Pick<FrameOf<'presence'>, 'status' | 'lastSeen'>

/** What a room knows now. A new object after every change, so that it may be compared by identity. */
export type RoomView = {
  status: RoomStatus
  /** Why it is closed. */
  error?: ChatError
  /** Whose room this is; null until it was online. */
  userId: string | null
  /** Oldest first; what is not acknowledged stands at the end. */
  messages: readonly RoomMessage[]
  /** Whether there are older messages: `history()` loads them. */
  hasMore: boolean
  /** A closed conversation takes no messages. */
  isClosed: boolean
  members: readonly Member[]
  presence: ReadonlyMap<string, Presence>
  /** User ids. */
  typing: readonly string[]
  /** The last seq that we have read. */
  read: number
  /** Whether something of ours, a message or a change of one, is still to be answered. */
  isPending: boolean
}
