import { useEffect, useState } from 'preact/hooks'
import type { Chat } from '../../src/client/chat.ts'
import type { Room } from '../../src/client/room.ts'
import type { RoomView } from '../../src/client/room-types.ts'

/** The room while it is shown, and what it knows. Rendered at most once a frame, however fast messages come. */
export const useRoom = (chat: Chat, id: string): { room: Room; view: RoomView } => {
  const [room, setRoom] = useState(() => chat.join(id))
  const [view, setView] = useState(room.view)
  useEffect(() => {
    // After a close of its own (a session that was renewed), another one.
    const joined = chat.join(id)
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
      joined.close()
    }
  }, [chat, id])
  return { room, view }
}
