import type { Attachment } from './attachment.ts'
import { closeCodes, maxBadFrames, type ServerFrame } from './protocol.ts'

/** Milliseconds. Clients send `ping` each half minute; who has been silent for this long is gone. */
const silence = 90_000
/** A socket is opened anew at least once a day: its session is looked at again. */
const socketLife = 24 * 3_600_000

/** https://websockets.spec.whatwg.org/#dom-websocket-open */
const readyStateOpen = 1

/** A server's WebSocket, as far as it is used here. */
type Wire = {
  readyState: number
  send: (text: string) => void
  close: (code: number, reason: string) => void
  serializeAttachment: (attachment: unknown) => void
  deserializeAttachment: () => unknown
}

/** An object's side of its sockets, as far as it is used here. */
type Sockets<W> = {
  acceptWebSocket: (socket: W) => void
  getWebSockets: () => W[]
  getWebSocketAutoResponseTimestamp: (socket: W) => Date | null
}

/** Deserialized it is a new object: what changes is put back. */
const attachmentOf = (wire: Wire): Attachment | null => wire.deserializeAttachment() as Attachment | null

const attach = (wire: Wire, attachment: Attachment): void => wire.serializeAttachment(attachment)

/** The sockets that a user has open at the inbox itself. What is known of one is attached to it, and outlives a sleep. */
export const createOwnSockets = <W extends Wire>(context: Sockets<W>) => {
  const open = (): [W, Attachment][] =>
    context.getWebSockets().flatMap((socket): [W, Attachment][] => {
      const attachment = attachmentOf(socket)
      const isOpen = attachment !== null && !attachment.ended && socket.readyState === readyStateOpen
      return isOpen ? [[socket, attachment]] : []
    })

  const send = (socket: W, frame: ServerFrame): void => {
    try {
      socket.send(JSON.stringify(frame))
    } catch {
      // It is closing: webSocketClose follows.
    }
  }

  const close = (socket: W, code: number, reason: string): void => {
    const attachment = attachmentOf(socket)
    if (attachment !== null) attach(socket, { ...attachment, ended: true })
    try {
      socket.close(code, reason)
    } catch {
      // The other side was faster.
    }
  }

  return {
    send,
    close,
    count: (): number => open().length,

    accept(socket: W, sessionId: string, now: number): void {
      context.acceptWebSocket(socket)
      attach(socket, { sessionId, connectedAt: now, live: false, bad: 0 })
    },

    /** What its frames are to be read with; undefined once it was closed. */
    listening: (socket: W): Attachment | undefined => {
      const attachment = attachmentOf(socket)
      return attachment === null || attachment.ended ? undefined : attachment
    },

    /** It has resumed: from now on it is told what is new. */
    begin: (socket: W, attachment: Attachment): void => attach(socket, { ...attachment, live: true }),

    /** To all that have resumed. */
    tell(frame: ServerFrame): void {
      for (const [socket, { live }] of open()) if (live) send(socket, frame)
    },

    /** A frame that is none of the protocol. */
    refuse(socket: W, attachment: Attachment): void {
      const bad = attachment.bad + 1
      attach(socket, { ...attachment, bad })
      send(socket, { type: 'error', code: 'INVALID_FRAME' })
      if (bad >= maxBadFrames) close(socket, closeCodes.protocol, 'too many bad frames')
    },

    endSessions(sessions: readonly string[]): void {
      for (const [socket, { sessionId }] of open())
        if (sessions.includes(sessionId)) close(socket, closeCodes.revoked, 'the session has ended')
    },

    /** Those whose other side is gone without a word, and those that are old. */
    closeSilent(now: number): void {
      for (const [socket, { connectedAt }] of open()) {
        const ponged = context.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
        if (now - Math.max(ponged, connectedAt) > silence) close(socket, closeCodes.silent, 'silent')
        else if (now - connectedAt > socketLife) close(socket, 1001, 'open a new one')
      }
    },
  }
}
