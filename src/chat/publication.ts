import type { Room } from './attendance.ts'
import type { Released } from './conversation-file.ts'
import type { Message } from './protocol.ts'
import { presentMembers, type State } from './room/state.ts'

/** Whose presence a room has to do with. */
export const attendanceOf = (state: State): Room => {
  const sockets = new Map<string, number>()
  for (const { userId } of state.sockets.values()) sockets.set(userId, (sockets.get(userId) ?? 0) + 1)
  return { members: presentMembers(state).map(({ userId }) => userId), sockets }
}

/** What others keep of a room: PostgreSQL for its lists, the inboxes of its members what is unread. */
export const publicationOf = (
  conversationId: string,
  { head, messages, members }: State,
  store: {
    last: () => Message | undefined
    numberAt: (seq: number) => number
    files: { released: () => Released[] }
  },
) => ({
  news: {
    conversationId,
    head,
    messages,
    last: store.last(),
    released: store.files.released(),
    reads: [...members.values()]
      .filter(({ left, read }) => !left && read > 0)
      .map(({ userId, read }) => ({ userId, read, count: store.numberAt(read) })),
  },
  unread: [...members.values()].map(({ userId, left, read }) => ({
    userId,
    conversationId,
    unread: left ? 0 : Math.max(0, messages - store.numberAt(read)),
    version: head + read,
  })),
})
