import { useEffect, useState } from 'preact/hooks'
import type { Room } from '../../src/client/room.ts'
import type { RoomView } from '../../src/client/room-types.ts'

type Options = {
  room: Room
  self: string
  /** The last message that there was when the conversation was opened: until it is here, one is still opening it. */
  head: number
  isLooking: () => boolean
}

const lastOf = ({ messages }: RoomView): number => messages.findLast(({ seq }) => seq !== null)?.seq ?? 0

/** Of the first message of others after that place; where nothing was ever read, all is new and needs no mark. */
const firstUnread = ({ messages }: RoomView, read: number, self: string): number | undefined =>
  read === 0
    ? undefined
    : (messages.find(({ from, seq }) => from !== self && seq !== null && seq > read)?.seq ?? undefined)

/** Whether something of one's own comes after it: then one has seen it. */
const isAnswered = ({ messages }: RoomView, seq: number): boolean =>
  messages.some(
    (one) => one.state !== 'received' && one.state !== 'failed' && (one.seq === null || one.seq > seq),
  )

/**
 * The seq of the message before which unread ones began: when the conversation was opened, or while one was away from its
 * end or its window. What comes while one is looking is read at once, and moves nothing. The room itself is asked, and not
 * what is rendered: nothing is in a hidden tab. Its effect must come before the one that marks messages read.
 */
export const useDivider = (view: RoomView, { room, self, head, isLooking }: Options): number | undefined => {
  const [divider, setDivider] = useState<number>()

  useEffect(() => {
    let readAtFirst: number | undefined
    let isOpening = true
    const look = () => {
      const now = room.view
      if (now.status !== 'online') return
      readAtFirst ??= now.read
      if (!isOpening && isLooking()) return
      const found = firstUnread(now, isOpening ? readAtFirst : now.read, self)
      if (found !== undefined) setDivider(found)
      if (lastOf(now) >= head) isOpening = false
    }
    look()
    const stops = [room.watch(look), room.on('reset', () => setDivider(undefined))]
    return () => stops.forEach((stop) => stop())
  }, [room])

  return divider === undefined || isAnswered(view, divider) ? undefined : divider
}
