import { useEffect, useState } from 'preact/hooks'
import type { Chat } from '../../src/client/chat.ts'
import type { Room } from '../../src/client/room.ts'
import type { RoomView } from '../../src/client/room-types.ts'

/** Rooms that nobody looks at any more, and that are still needed; with what ends the wait. */
const leaving = new WeakMap<Room, () => void>()

/** What was written goes out first; and what was refused stays until it is dealt with. */
const leave = (room: Room): void => {
  const isDone = () => room.view.messages.every(({ state }) => state !== 'sending' && state !== 'failed')
  const closeIfDone = () => {
    if (!isDone()) return
    leaving.get(room)?.()
    room.close()
  }
  leaving.set(room, room.watch(closeIfDone))
  closeIfDone()
}

/** The room while it is shown, and what it knows. Rendered at most once a frame, however fast messages come. */
export const useRoom = (chat: Chat, id: string): { room: Room; view: RoomView } => {
  const [room, setRoom] = useState(() => chat.join(id))
  const [view, setView] = useState(room.view)
  useEffect(() => {
    // After a close of its own (a session that was renewed), another one.
    const joined = chat.join(id)
    leaving.get(joined)?.()
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
