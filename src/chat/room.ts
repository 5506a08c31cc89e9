import { closeCodes, limits } from './protocol.ts'
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
} from './protocol.ts'

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
  members: ReadonlyMap<string, MemberState>
  sockets: ReadonlyMap<string, Socket>
  /** Where the marks stood that have changed since the last receipts. */
  changed: ReadonlyMap<string, { delivered: number; read: number }>
  /** When each member's typing was last passed on. */
  typed: ReadonlyMap<string, number>
}

/** What a message is before it has a place. `from` null: the system. */
type Post = {
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
  | { type: 'badFrame'; socket: string }
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

/** Members above which receipts go to the authors concerned only. */
export const smallRoom = 50

/** Milliseconds in which a member's typing is passed on once. */
const typingEvery = 1_000

export const emptyRoom = (epoch: string): State => ({
  epoch,
  head: 0,
  first: 1,
  messages: 0,
  closed: { is: false, version: 0 },
  members: new Map(),
  sockets: new Map(),
  changed: new Map(),
  typed: new Map(),
})

const still = (state: State): Step => ({ state, effects: [] })

const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> =>
  new Map(map).set(key, value)

const without = <K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> => {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}

/** One after the other. */
const chain = (state: State, ...steps: ((state: State) => Step)[]): Step => {
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

const socketsWhere = ({ sockets }: State, test: (socket: Socket) => boolean): Socket[] =>
  [...sockets.values()].filter(test)

/** They hear nothing of what comes after. */
const end = (state: State, ended: readonly Socket[], code: number, reason: string): Step => {
  if (ended.length === 0) return still(state)
  const sockets = new Map(state.sockets)
  for (const { id } of ended) sockets.delete(id)
  return {
    state: { ...state, sockets },
    effects: ended.map(({ id }) => ({ do: 'close', socket: id, code, reason })),
  }
}

const refuse = (
  to: string,
  code: FrameErrorCode,
  about: { clientId?: string; id?: string; retryAfter?: number } = {},
): Effect => ({
  do: 'send',
  to,
  frame: { type: 'error', code, ...about },
})

/** Marks never go back, read implies delivered, and nothing lies ahead of the log. */
const moveMark = (state: State, userId: string, { delivered = 0, read = 0 }): Step => {
  const member = memberOf(state, userId)
  if (member === undefined) return still(state)
  const readNow = Math.max(member.read, Math.min(read, state.head))
  const deliveredNow = Math.max(member.delivered, readNow, Math.min(delivered, state.head))
  if (readNow === member.read && deliveredNow === member.delivered) return still(state)
  const from = state.changed.get(userId) ?? { delivered: member.delivered, read: member.read }
  return {
    state: {
      ...state,
      members: put(state.members, userId, { ...member, delivered: deliveredNow, read: readNow }),
      changed: put(state.changed, userId, from),
    },
    effects: [{ do: 'receiptsSoon' }],
  }
}

export const withFiles = (attachments: AttachedFile[]): { attachments?: AttachedFile[] } =>
  attachments.length === 0 ? {} : { attachments }

const append = (state: State, event: LogEvent): Step => {
  const messages = state.messages + (event.type === 'message' ? 1 : 0)
  return {
    state: { ...state, head: event.seq, messages },
    effects: [{ do: 'append', event, n: messages }, { do: 'broadcast', frame: event }, { do: 'publish' }],
  }
}

const post = (state: State, { from, ...rest }: Post): Step => {
  const seq = state.head + 1
  const message: Message = { seq, from, ...rest }
  const typed = from !== null && state.typed.has(from) ? without(state.typed, from) : state.typed
  return chain(
    { ...state, typed },
    (before) => append(before, { type: 'message', ...message }),
    // Who writes has read what stands above.
    (after) => (from === null ? still(after) : moveMark(after, from, { read: seq })),
  )
}

const resume = (
  state: State,
  socket: Socket,
  { after, epoch, batch = false }: Extract<ClientFrame, { type: 'resume' }>,
): Step => {
  const { id } = socket
  const isFresh = after === 0 && epoch === undefined
  const isGone = epoch !== state.epoch || after > state.head || after < state.first - 1
  if (!isFresh && isGone) {
    return {
      state: { ...state, sockets: put(state.sockets, id, { ...socket, mode: 'new', position: 0, batch }) },
      effects: [{ do: 'send', to: id, frame: { type: 'resync', epoch: state.epoch, head: state.head } }],
    }
  }
  const position = isFresh ? Math.max(state.first - 1, state.head - limits.recent) : after
  const present = presentMembers(state)
  return {
    state: { ...state, sockets: put(state.sockets, id, { ...socket, mode: 'behind', position, batch }) },
    effects: [
      {
        do: 'send',
        to: id,
        frame: {
          type: 'ready',
          epoch: state.epoch,
          head: state.head,
          complete: !isFresh || position === 0,
          userId: socket.userId,
          closed: state.closed.is,
          members: present.map(({ userId, role }) => ({ userId, role })),
          marks: present.map(({ userId, delivered, read }) => ({ userId, delivered, read })),
        },
      },
      { do: 'catchUp', socket: id },
    ],
  }
}

const acknowledge = (to: string, { clientId, id, seq, at }: Message): Effect => ({
  do: 'send',
  to,
  frame: { type: 'ack', clientId, id, seq, at },
})

const send = (
  state: State,
  { id, userId }: Socket,
  { clientId, content }: Extract<ClientFrame, { type: 'send' }>,
  { known, waitMs, files, newId, now }: Lookup,
): Step => {
  if (known !== undefined) return { state, effects: [acknowledge(id, known)] }
  if (state.closed.is) return { state, effects: [refuse(id, 'CONVERSATION_CLOSED', { clientId })] }
  if (files === null) return { state, effects: [refuse(id, 'ATTACHMENT_REFUSED', { clientId })] }
  if (waitMs > 0) return { state, effects: [refuse(id, 'RATE_LIMITED', { clientId, retryAfter: waitMs })] }
  const at = new Date(now).toISOString()
  const message = { id: newId, from: userId, clientId, at, content, ...withFiles(files) }
  const step = post(state, message)
  return { ...step, effects: [...step.effects, acknowledge(id, { seq: step.state.head, ...message })] }
}

/** The author's; and what they wrote is the shop's to take away, but never to put into other words. */
const mayChange = (
  state: State,
  userId: string,
  { from, removedAt }: Message,
  how: 'edit' | 'remove',
): boolean => {
  if (removedAt !== undefined || from === null) return false
  return from === userId || (how === 'remove' && memberOf(state, userId)?.role === 'shop')
}

const edit = (
  state: State,
  { id: to, userId }: Socket,
  { id, content }: Extract<ClientFrame, { type: 'edit' }>,
  { target, waitMs, now }: Lookup,
): Step => {
  if (target === undefined || !mayChange(state, userId, target, 'edit')) {
    return { state, effects: [refuse(to, 'NOT_FOUND', { id })] }
  }
  if (state.closed.is) return { state, effects: [refuse(to, 'CONVERSATION_CLOSED', { id })] }
  const at = new Date(now).toISOString()
  // Said again after a lost answer: whoever asks hears that it is so.
  if (target.content === content) {
    const { seq } = target
    return {
      state,
      effects: [
        {
          do: 'send',
          to,
          frame: { type: 'messageEdited', seq, id, at: target.editedAt ?? target.at, content },
        },
      ],
    }
  }
  if (waitMs > 0) return { state, effects: [refuse(to, 'RATE_LIMITED', { id, retryAfter: waitMs })] }
  return append(state, { type: 'messageEdited', seq: state.head + 1, id, at, content })
}

const remove = (
  state: State,
  { id: to, userId }: Socket,
  { id }: Extract<ClientFrame, { type: 'remove' }>,
  { target, now }: Lookup,
): Step => {
  if (target === undefined || !mayChange(state, userId, target, 'remove')) {
    return { state, effects: [refuse(to, 'NOT_FOUND', { id })] }
  }
  return append(state, {
    type: 'messageRemoved',
    seq: state.head + 1,
    id,
    at: new Date(now).toISOString(),
    by: userId,
  })
}

const typing = (state: State, { userId }: Socket, now: number): Step => {
  if (state.closed.is || now - (state.typed.get(userId) ?? -Infinity) < typingEvery) return still(state)
  return {
    state: { ...state, typed: put(state.typed, userId, now) },
    effects: [{ do: 'broadcast', frame: { type: 'typing', userId }, except: userId }],
  }
}

const onFrame = (state: State, socket: Socket, frame: ClientFrame, lookup: Lookup): Step => {
  if (frame.type === 'resume') return resume(state, socket, frame)
  // The shell keeps account of what was read.
  if (frame.type === 'flow')
    return { state, effects: socket.mode === 'behind' ? [{ do: 'catchUp', socket: socket.id }] : [] }
  if (socket.mode === 'new') {
    const about = frame.type === 'send' ? { clientId: frame.clientId } : {}
    return { state, effects: [refuse(socket.id, 'NOT_RESUMED', about)] }
  }
  switch (frame.type) {
    case 'send':
      return send(state, socket, frame, lookup)
    case 'edit':
      return edit(state, socket, frame, lookup)
    case 'remove':
      return remove(state, socket, frame, lookup)
    case 'typing':
      return typing(state, socket, lookup.now)
    case 'delivered':
      return moveMark(state, socket.userId, { delivered: frame.seq })
    case 'read':
      return moveMark(state, socket.userId, { read: frame.seq })
    case 'history':
      return {
        state,
        effects: [{ do: 'page', to: socket.id, before: frame.before ?? null, limit: frame.limit }],
      }
  }
}

/** Only upwards by version: what is older than what is known, or the same, changes nothing. */
const applyMember = (state: State, given: Membership, at: string): Step => {
  const known = state.members.get(given.userId)
  if (known !== undefined && known.version >= given.version) return still(state)
  const wasPresent = known?.left === false
  const member = { delivered: 0, read: 0, ...known, ...given }
  const { userId, role, left } = member
  const changed = left ? without(state.changed, userId) : state.changed
  const saved: Step = {
    state: { ...state, members: put(state.members, userId, member), changed },
    effects: [{ do: 'saveMember', member }],
  }
  if (wasPresent !== left) return saved
  return chain(
    state,
    () => saved,
    // Before the others are told: who was removed hears nothing more.
    (next) =>
      left
        ? end(
            next,
            socketsWhere(next, (one) => one.userId === userId),
            closeCodes.removed,
            'removed',
          )
        : still(next),
    (next) =>
      append(next, {
        type: 'member',
        seq: next.head + 1,
        userId,
        change: left ? 'left' : 'joined',
        role,
        at,
      }),
  )
}

const applyClosed = (
  state: State,
  { version, closed: is, at, newId }: Extract<Event, { type: 'applied' }>,
): Step => {
  if (version <= state.closed.version) return still(state)
  const closed = { is, version }
  const saved: Step = { state: { ...state, closed }, effects: [{ do: 'saveClosed', closed }] }
  if (is === state.closed.is) return saved
  const kind = is ? 'closed' : 'reopened'
  const content = is ? 'The conversation was closed' : 'The conversation was opened again'
  return chain(
    state,
    () => saved,
    (next) =>
      post(next, { id: newId, from: null, clientId: `${kind}:${version}`, at, content, system: { kind } }),
  )
}

const receipts = (state: State): Step => {
  const changes = [...state.changed].flatMap(([userId, from]): Change[] => {
    const member = memberOf(state, userId)
    return member === undefined
      ? []
      : [{ mark: { userId, delivered: member.delivered, read: member.read }, from }]
  })
  if (changes.length === 0) return still({ ...state, changed: new Map() })
  const marks = changes.map(({ mark }) => mark)
  const told: Effect =
    presentMembers(state).length <= smallRoom
      ? { do: 'broadcast', frame: { type: 'receipt', marks } }
      : { do: 'tellAuthors', changes }
  return {
    state: { ...state, changed: new Map() },
    effects: [{ do: 'saveMarks', marks }, told, { do: 'publish' }],
  }
}

const onSocket = (state: State, event: Extract<Event, { socket: string }>, socket: Socket): Step => {
  const only = (code: number, reason: string) => end(state, [socket], code, reason)
  switch (event.type) {
    case 'disconnected':
      return still({ ...state, sockets: without(state.sockets, socket.id) })
    case 'frame':
      return onFrame(state, socket, event.frame, event.lookup)
    case 'badFrame': {
      const bad = socket.bad + 1
      if (bad >= limits.badFrames) return only(closeCodes.protocol, 'protocol')
      const sockets = put(state.sockets, socket.id, { ...socket, bad })
      return { state: { ...state, sockets }, effects: [refuse(socket.id, 'INVALID_FRAME')] }
    }
    case 'flood':
      return only(closeCodes.flood, 'flood')
    case 'slow':
      return only(closeCodes.slow, 'slow reader')
    case 'advanced': {
      const { position, live } = event
      const mode = live ? 'live' : 'behind'
      return still({ ...state, sockets: put(state.sockets, socket.id, { ...socket, position, mode }) })
    }
  }
}

/**
 * A room, without I/O: what happened and how things stand give what is to be done, in that order and all at once. The
 * shell carries out the effects without a pause between them, so that the writes of a step are one transaction, and
 * nothing that a step sends leaves before they are on disk.
 */
export const step = (state: State, event: Event): Step => {
  switch (event.type) {
    case 'connected': {
      const socket: Socket = { ...event.socket, mode: 'new', position: 0, batch: false, bad: 0 }
      return still({ ...state, sockets: put(state.sockets, socket.id, socket) })
    }
    case 'applied':
      return chain(
        state,
        ...event.members.map((member) => (next: State) => applyMember(next, member, event.at)),
        (next) => applyClosed(next, event),
      )
    case 'posted':
      return post(state, event.post)
    case 'read':
      return chain(state, (next) => moveMark(next, event.userId, { read: event.seq }), receipts)
    case 'receiptsDue':
      return receipts(state)
    case 'sessionsEnded': {
      const ended = new Set(event.sessions)
      return end(
        state,
        socketsWhere(state, ({ sessionId }) => ended.has(sessionId)),
        closeCodes.revoked,
        'revoked',
      )
    }
    case 'trimmed':
      return still({ ...state, first: Math.max(state.first, event.first) })
    case 'disconnected':
    case 'frame':
    case 'badFrame':
    case 'flood':
    case 'slow':
    case 'advanced': {
      const socket = state.sockets.get(event.socket)
      // It was closed a moment ago, and a frame of it was still under way.
      return socket === undefined ? still(state) : onSocket(state, event, socket)
    }
  }
}
