import type { Mark, Member, Message } from '../chat/protocol.ts'
import type { MessageState, RoomMessage } from './room-types.ts'

const stateOf = (
  { from, seq }: Message,
  self: string | null,
  members: readonly Member[],
  markOf: (userId: string) => Mark | undefined,
): MessageState => {
  if (from === null || from !== self) return 'received'
  const others = members.flatMap(({ userId }) => (userId === self ? [] : [markOf(userId)]))
  if (others.some((mark) => (mark?.read ?? 0) >= seq)) return 'read'
  return others.some((mark) => (mark?.delivered ?? 0) >= seq) ? 'delivered' : 'sent'
}

/** A message of the log, with what became of it. */
export const showMessage = (
  message: Message,
  self: string | null,
  members: readonly Member[],
  markOf: (userId: string) => Mark | undefined,
): RoomMessage => ({ ...message, state: stateOf(message, self, members, markOf) })
