import { VersionedMap } from '../../shared/versioned-map.ts'
import type {
  AttachedFile,
  BatchedFrame,
  ClientFrame,
  FrameErrorCode,
  LogEvent,
  Mark,
  Message,
  ServerFrame,
  System,
} from '../protocol.ts'

export type MemberRole = 'customer' | 'shop'

/** A member, or the tombstone of one: what came later, by version, stays. */
export type MemberState = {
  userId: string
  role: MemberRole
  /** Of the conversation, when this was last changed there. */
  version: number
  left: boolean
  delivered: number
  read: number
}

/** A member as PostgreSQL has it. */
export type Membership = Pick<MemberState, 'userId' | 'role' | 'version' | 'left'>

/** What a room has to know, as PostgreSQL has it at that version; a member who has left is told too. */
export type RoomState = {
  conversation: { id: string; version: number; closed: boolean }
  members: Membership[]
}

export type Socket = {
  id: string
  userId: string
  sessionId: string
  /** `new` until it has resumed, `behind` until it has all that came before. */
  mode: 'new' | 'behind' | 'live'
  /** The last seq that was sent to it while it is behind. */
  position: number
  batch: boolean
  /** Frames that were none of the protocol. */
  bad: number
}

export type State = {
  epoch: string
  /** The last seq of the log. */
  head: number
  /** The oldest seq that is still there; older events were dropped. */
  first: number
  /** How many messages were ever written: the number of the last one. */
  messages: number
  closed: { is: boolean; version: number }
  members: VersionedMap<string, MemberState>
  sockets: VersionedMap<string, Socket>
  /** Where the marks stood that have changed since the last receipts. */
  changed: VersionedMap<string, { delivered: number; read: number }>
  /** When each member's typing was last passed on. */
  typed: VersionedMap<string, number>
}

/** What a message is before it has a place. `from` null: the system. */
export type Post = {
  id: string
  from: string | null
  clientId: string
  at: string
  content: string
  attachments?: AttachedFile[]
  system?: System
}

/** What the shell has looked up for a frame. */
export type Lookup = {
  now: number
  /** A new id, for a message that is to be. */
  newId: string
  /** The message that this author sent before under this clientId. */
  known?: Message | undefined
  /** The message that is to be edited or removed. */
  target?: Message | undefined
  /** Milliseconds that this author has to wait; 0: may send. */
  waitMs: number
  /** The files that the frame names; null: not all of them are there for this author to send. */
  files: AttachedFile[] | null
}

export type Event =
  | { type: 'connected'; socket: Pick<Socket, 'id' | 'userId' | 'sessionId'> }
  | { type: 'disconnected'; socket: string }
  | { type: 'frame'; socket: string; frame: ClientFrame; lookup: Lookup }
  | { type: 'badFrame'; socket: string; clientId?: string }
  | { type: 'flood'; socket: string }
  | { type: 'slow'; socket: string }
  /** The socket was sent the log up to `position`; `live`: that is all of it. */
  | { type: 'advanced'; socket: string; position: number; live: boolean }
  | {
      type: 'applied'
      version: number
      closed: boolean
      members: readonly Membership[]
      at: string
      newId: string
    }
  | { type: 'posted'; post: Post }
  | { type: 'read'; userId: string; seq: number }
  | { type: 'receiptsDue' }
  | { type: 'sessionsEnded'; sessions: readonly string[] }
  /** Everything before `first` was dropped. */
  | { type: 'trimmed'; first: number }

export type Change = { mark: Mark; from: { delivered: number; read: number } }

export type Effect =
  /** Durable; `n` is how many messages there are up to it. */
  | { do: 'append'; event: LogEvent; n: number }
  | { do: 'saveMember'; member: MemberState }
  | { do: 'saveMarks'; marks: Mark[] }
  | { do: 'saveClosed'; closed: State['closed'] }
  | { do: 'send'; to: string; frame: ServerFrame }
  /** To every live socket, but for those of one member. */
  | { do: 'broadcast'; frame: BatchedFrame; except?: string }
  /** In a large room: each change to the authors of the messages that it is about. */
  | { do: 'tellAuthors'; changes: Change[] }
  | { do: 'catchUp'; socket: string }
  | { do: 'page'; to: string; before: number | null; limit: number }
  | { do: 'close'; socket: string; code: number; reason: string }
  /** `receiptsDue` is wanted within 250 ms. */
  | { do: 'receiptsSoon' }
  /** What others know of this room (last message, unread) has changed. */
  | { do: 'publish' }

export type Step = { state: State; effects: Effect[] }

export const emptyRoom = (epoch: string): State => ({
  epoch,
  head: 0,
  first: 1,
  messages: 0,
  closed: { is: false, version: 0 },
  members: VersionedMap.of(),
  sockets: VersionedMap.of(),
  changed: VersionedMap.of(),
  typed: VersionedMap.of(),
})

export const still = (state: State): Step => ({ state, effects: [] })

/** One after the other. */
export const chain = (state: State, ...steps: ((state: State) => Step)[]): Step => {
  let step = still(state)
  for (const next of steps) {
    const { state: after, effects } = next(step.state)
    step = { state: after, effects: [...step.effects, ...effects] }
  }
  return step
}

export const memberOf = ({ members }: State, userId: string): MemberState | undefined => {
  const member = members.get(userId)
  return member?.left === false ? member : undefined
}

export const presentMembers = ({ members }: State): MemberState[] =>
  [...members.values()].filter(({ left }) => !left)

export const socketsWhere = ({ sockets }: State, test: (socket: Socket) => boolean): Socket[] =>
  [...sockets.values()].filter(test)

export const refuse = (
  to: string,
  code: FrameErrorCode,
  about: { clientId?: string; id?: string; retryAfter?: number } = {},
): Effect => ({
  do: 'send',
  to,
  frame: { type: 'error', code, ...about },
})
