import { closeCodes } from '../protocol.ts'
import { append, post } from './log.ts'
import { end } from './sockets.ts'
import { chain, socketsWhere, still, type Event, type Membership, type State, type Step } from './state.ts'

/** Only upwards by version: what is older than what is known, or the same, changes nothing. */
const applyMember = (state: State, given: Membership, at: string): Step => {
  const known = state.members.get(given.userId)
  if (known !== undefined && known.version >= given.version) return still(state)
  const wasPresent = known?.left === false
  const member = { delivered: 0, read: 0, ...known, ...given }
  const { userId, role, left } = member
  const changed = left ? state.changed.delete(userId) : state.changed
  const saved: Step = {
    state: { ...state, members: state.members.set(userId, member), changed },
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

/** What PostgreSQL has: members and whether the conversation is closed. */
export const applied = (state: State, event: Extract<Event, { type: 'applied' }>): Step =>
  chain(
    state,
    ...event.members.map((member) => (next: State) => applyMember(next, member, event.at)),
    (next) => applyClosed(next, event),
  )
