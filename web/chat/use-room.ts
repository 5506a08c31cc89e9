import { useEffect, useState } from 'preact/hooks'
import type { Chat } from '../../src/client/chat.ts'
import type { Room } from '../../src/client/room.ts'
import type { RoomView } from '../../src/client/room-types.ts'

/** Of rooms that nobody looks at any more, and that are still needed: ends the wait for their end, or looks again. */
const leaving = new WeakMap<Room, { stop: () => void; look: () => void }>()

/** Work that is to go on with a room although one has left it. */
const kept = new WeakMap<Room, number>()

export const keepRoom = async (room: Room, work: () => Promise<void>): Promise<void> => {
  kept.set(room, (kept.get(room) ?? 0) + 1)
  try {
    await work()
  } finally {
    kept.set(room, (kept.get(room) ?? 1) - 1)
    leaving.get(room)?.look()
  }
}

/** What was written goes out first; and what was refused stays until it is dealt with. */
const leave = (room: Room): void => {
  const isNeeded = () =>
    room.view.isPending ||
    (kept.get(room) ?? 0) > 0 ||
    room.view.messages.some(({ state }) => state === 'failed')
  const look = () => {
    if (isNeeded()) return
    stop()
    room.close()
  }
  const unwatch = room.watch(look)
  const stop = () => {
    unwatch()
    leaving.delete(room)
  }
  leaving.set(room, { stop, look })
  look()
}

/** The room while it is shown, and what it knows. Rendered at most once a frame, however fast messages come. */
export const useRoom = (chat: Chat, id: string): { room: Room; view: RoomView } => {
  const [room, setRoom] = useState(() => chat.join(id))
  const [view, setView] = useState(room.view)
  useEffect(() => {
    // After a close of its own (a session that was renewed), another one.
    const joined = chat.join(id)
    leaving.get(joined)?.stop()
    setRoom(joined)
    setView(joined.view)
    let frame: number | undefined
    const stop = joined.watch(() => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined
        setView(joined.view)
      })
    })
    return () => {
      stop()
      if (frame !== undefined) cancelAnimationFrame(frame)
      leave(joined)
    }
  }, [chat, id])
  return { room, view }
}
