import { closeCodes, limits, type ClientFrame } from './protocol.ts'
import { edit, post, remove, send } from './room/log.ts'
import { moveMark, receipts } from './room/marks.ts'
import { applied } from './room/members.ts'
import { end, resume, typing } from './room/sockets.ts'
import {
  chain,
  refuse,
  socketsWhere,
  still,
  type Event,
  type Lookup,
  type Socket,
  type State,
  type Step,
} from './room/state.ts'

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

const onSocket = (state: State, event: Extract<Event, { socket: string }>, socket: Socket): Step => {
  const only = (code: number, reason: string) => end(state, [socket], code, reason)
  switch (event.type) {
    case 'disconnected':
      return still({ ...state, sockets: state.sockets.delete(socket.id) })
    case 'frame':
      return onFrame(state, socket, event.frame, event.lookup)
    case 'badFrame': {
      const bad = socket.bad + 1
      if (bad >= limits.badFrames) return only(closeCodes.protocol, 'protocol')
      const sockets = state.sockets.set(socket.id, { ...socket, bad })
      const about = event.clientId === undefined ? {} : { clientId: event.clientId }
      return { state: { ...state, sockets }, effects: [refuse(socket.id, 'INVALID_FRAME', about)] }
    }
    case 'flood':
      return only(closeCodes.flood, 'flood')
    case 'slow':
      return only(closeCodes.slow, 'slow reader')
    case 'advanced': {
      const { position, live } = event
      const mode = live ? 'live' : 'behind'
      return still({ ...state, sockets: state.sockets.set(socket.id, { ...socket, position, mode }) })
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
      return still({ ...state, sockets: state.sockets.set(socket.id, socket) })
    }
    case 'applied':
      return applied(state, event)
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
