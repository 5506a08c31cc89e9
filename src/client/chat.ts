import { createRoom, type Room } from './room.ts'

export type ChatOptions = {
  /** Of the API, such as https://api.example.com; in a browser its own origin does. */
  url: string
  /**
   * A ticket for that conversation: `POST /api/v1/realtime/tickets`. Asked for before each connection. An error whose
   * `status` is 401, 403 or 404 closes the room; any other is tried again, not before its `retryAfter` (milliseconds).
   */
  getTicket: (conversationId: string) => Promise<string>
  /** For a runtime that has none of its own. */
  WebSocket?: unknown
}

export type Chat = ReturnType<typeof createChat>

const socketUrl = (url: string, conversationId: string): string =>
  `${url.replace(/^http/, 'ws').replace(/\/$/, '')}/api/v1/conversations/${encodeURIComponent(conversationId)}/socket`

/** Conversations, live: each room keeps one connection, however often it breaks. */
export const createChat = ({ url, getTicket, WebSocket }: ChatOptions) => {
  const rooms = new Map<string, Room>()
  const nudge = () => rooms.forEach((room) => room.nudge())
  // In a browser.
  const target = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>
  target.addEventListener?.('online', nudge)

  return {
    /** The same room each time, until it is closed. */
    join(conversationId: string): Room {
      const known = rooms.get(conversationId)
      if (known !== undefined) return known
      const room = createRoom({
        url: socketUrl(url, conversationId),
        getTicket: () => getTicket(conversationId),
        WebSocket,
        onClosed: () => rooms.delete(conversationId),
      })
      rooms.set(conversationId, room)
      return room
    },
    close(): void {
      target.removeEventListener?.('online', nudge)
      for (const room of rooms.values()) room.close()
    },
  }
}
