import { limits, type ClientFrame } from '../protocol.ts'
import { presentMembers, still, type Socket, type State, type Step } from './state.ts'

/** Milliseconds in which a member's typing is passed on once. */
const typingEvery = 1_000

/** They hear nothing of what comes after. */
export const end = (state: State, ended: readonly Socket[], code: number, reason: string): Step => {
  if (ended.length === 0) return still(state)
  const sockets = ended.reduce((rest, { id }) => rest.delete(id), state.sockets)
  return {
    state: { ...state, sockets },
    effects: ended.map(({ id }) => ({ do: 'close', socket: id, code, reason })),
  }
}

export const resume = (
  state: State,
  socket: Socket,
  { after, epoch, batch = false }: Extract<ClientFrame, { type: 'resume' }>,
): Step => {
  const { id } = socket
  const isFresh = after === 0 && epoch === undefined
  const isGone = epoch !== state.epoch || after > state.head || after < state.first - 1
  if (!isFresh && isGone) {
    return {
      state: { ...state, sockets: state.sockets.set(id, { ...socket, mode: 'new', position: 0, batch }) },
      effects: [{ do: 'send', to: id, frame: { type: 'resync', epoch: state.epoch, head: state.head } }],
    }
  }
  const position = isFresh ? Math.max(state.first - 1, state.head - limits.recent) : after
  const present = presentMembers(state)
  return {
    state: { ...state, sockets: state.sockets.set(id, { ...socket, mode: 'behind', position, batch }) },
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

export const typing = (state: State, { userId }: Socket, now: number): Step => {
  if (state.closed.is || now - (state.typed.get(userId) ?? -Infinity) < typingEvery) return still(state)
  return {
    state: { ...state, typed: state.typed.set(userId, now) },
    effects: [{ do: 'broadcast', frame: { type: 'typing', userId }, except: userId }],
  }
}
