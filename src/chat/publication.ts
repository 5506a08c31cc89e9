import type { Room } from './attendance.ts'
import type { UnreadReport } from './link.ts'
import type { News } from './repository.ts'
import { presentMembers, type MemberState, type State } from './room/state.ts'
import type { RoomStore } from './store.ts'

type Deps = {
  kv: Pick<SyncKvStorage, 'get' | 'put'>
  store: Pick<RoomStore, 'last' | 'numberAt' | 'publishedRead' | 'markPublished'> & {
    files: Pick<RoomStore['files'], 'released' | 'told'>
  }
  state: () => State
  publish: (news: News) => Promise<void>
  tellUnread: (reports: UnreadReport[]) => Promise<void>
}

/** Whose presence a room has to do with. */
export const attendanceOf = (state: State): Room => {
  const sockets = new Map<string, number>()
  for (const { userId } of state.sockets.values()) sockets.set(userId, (sockets.get(userId) ?? 0) + 1)
  return { members: presentMembers(state).map(({ userId }) => userId), sockets }
}

/**
 * What others keep of a room: PostgreSQL the last message and who has read how much, the inboxes of its members what is
 * unread. A room that wakes without news tells nothing; of a large one only the marks that have moved are written.
 */
export const createPublication = ({ kv, store, state, publish, tellUnread }: Deps) => {
  let isDue = state().head > 0 && kv.get<boolean>('published') !== true
  /** The number of the message at each member's mark, as it was last looked up. */
  const numbers = new Map<string, { read: number; number: number }>()

  const changed = (): void => {
    if (!isDue) kv.put('published', false)
    isDue = true
  }

  const numberAtMark = ({ userId, read }: Pick<MemberState, 'userId' | 'read'>): number => {
    const known = numbers.get(userId)
    if (known?.read === read) return known.number
    const number = store.numberAt(read)
    numbers.set(userId, { read, number })
    return number
  }

  const tell = async (conversationId: string): Promise<void> => {
    const { head, messages, members } = state()
    const moved = [...members.values()].filter(
      ({ userId, left, read }) => !left && read > store.publishedRead(userId),
    )
    const reads = moved.map((one) => ({ userId: one.userId, read: one.read, count: numberAtMark(one) }))
    const released = store.files.released()
    await publish({ conversationId, head, messages, last: store.last(), reads, released })
    store.markPublished(reads)
    if (store.files.told(released)) changed()
    await tellUnread(
      [...members.values()].map((member) => ({
        userId: member.userId,
        conversationId,
        unread: member.left ? 0 : Math.max(0, messages - numberAtMark(member)),
        version: head + member.read,
      })),
    )
  }

  return {
    isDue: (): boolean => isDue,

    changed,

    /** @throws when somebody could not be told: it stays due */
    async tell(): Promise<void> {
      const conversationId = kv.get<string>('conversation')
      isDue = false
      if (conversationId === undefined) return
      try {
        await tell(conversationId)
        // Or something has happened meanwhile.
        if (!isDue) kv.put('published', true)
      } catch (error) {
        isDue = true
        throw error
      }
    },
  }
}
