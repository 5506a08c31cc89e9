import { VersionedMap } from '../../shared/versioned-map.ts'
import { memberOf, presentMembers, still, type Change, type Effect, type State, type Step } from './state.ts'

/** Members above which receipts go to the authors concerned only. */
export const smallRoom = 50

/** Marks never go back, read implies delivered, and nothing lies ahead of the log. */
export const moveMark = (state: State, userId: string, { delivered = 0, read = 0 }): Step => {
  const member = memberOf(state, userId)
  if (member === undefined) return still(state)
  const readNow = Math.max(member.read, Math.min(read, state.head))
  const deliveredNow = Math.max(member.delivered, readNow, Math.min(delivered, state.head))
  if (readNow === member.read && deliveredNow === member.delivered) return still(state)
  const from = state.changed.get(userId) ?? { delivered: member.delivered, read: member.read }
  return {
    state: {
      ...state,
      members: state.members.set(userId, { ...member, delivered: deliveredNow, read: readNow }),
      changed: state.changed.set(userId, from),
    },
    effects: [{ do: 'receiptsSoon' }],
  }
}

export const receipts = (state: State): Step => {
  const changes = [...state.changed].flatMap(([userId, from]): Change[] => {
    const member = memberOf(state, userId)
    return member === undefined
      ? []
      : [{ mark: { userId, delivered: member.delivered, read: member.read }, from }]
  })
  if (changes.length === 0) return still({ ...state, changed: VersionedMap.of() })
  const marks = changes.map(({ mark }) => mark)
  const told: Effect =
    presentMembers(state).length <= smallRoom
      ? { do: 'broadcast', frame: { type: 'receipt', marks } }
      : { do: 'tellAuthors', changes }
  return {
    state: { ...state, changed: VersionedMap.of() },
    effects: [{ do: 'saveMarks', marks }, told, { do: 'publish' }],
  }
}
