import type { Attachment } from './attachment.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import { limits, type ServerFrame } from './protocol.ts'
import type { Socket } from './room/state.ts'

/** A server's WebSocket, as far as it is used here. */
export type Wire = {
  readyState: number
  send: (text: string) => void
  close: (code: number, reason: string) => void
  serializeAttachment: (attachment: unknown) => void
  deserializeAttachment: () => unknown
}

/** Bytes that a socket is sent before that is put down for after a sleep: a quarter of what it may be sent without a question. */
const outletStep = limits.flow / 4

/** https://websockets.spec.whatwg.org/#dom-websocket-open */
const readyStateOpen = 1

type Connection<W> = {
  wire: W
  outlet: Outlet
  connectedAt: number
  /** What of `outlet` is in the attachment. */
  saved: number
  /** When one that sends more than pings was last heard. */
  heard: number
}

const attachmentOf = (wire: Wire): Attachment | null => wire.deserializeAttachment() as Attachment | null

/** The open sockets of a room by id, and what is known of each beside the room's own state. */
export const createConnections = <W extends Wire>({
  stateOf,
  onSlow,
}: {
  stateOf: (id: string) => Socket | undefined
  /** It does not read what it is sent. */
  onSlow: (id: string) => void
}) => {
  const open = new Map<string, Connection<W>>()
  const ids = new WeakMap<W, string>()

  const add = (id: string, wire: W, connection: Omit<Connection<W>, 'wire' | 'heard'>): void => {
    open.set(id, { ...connection, wire, heard: 0 })
    ids.set(wire, id)
  }

  /** Puts down what is known of a socket, for after a sleep. */
  const keep = (id: string): void => {
    const socket = stateOf(id)
    const connection = open.get(id)
    if (socket === undefined || connection === undefined) return
    const { wire, connectedAt } = connection
    const outlet = connection.outlet.state()
    connection.saved = outlet.sent
    wire.serializeAttachment({ socket, outlet, connectedAt } satisfies Attachment)
  }

  return {
    keep,

    ids: (): string[] => [...open.keys()],

    count: (): number => open.size,

    accept: (id: string, wire: W, now: number): void =>
      add(id, wire, { outlet: createOutlet(), connectedAt: now, saved: 0 }),

    /** One that outlived the room's sleep; undefined: it was closed. */
    wake(wire: W): Socket | undefined {
      const attachment = attachmentOf(wire)
      if (attachment === null || attachment.ended || wire.readyState !== readyStateOpen) return undefined
      const { socket, outlet, connectedAt } = attachment
      add(socket.id, wire, { outlet: createOutlet(outlet), connectedAt, saved: outlet.sent })
      return socket
    },

    /** Undefined for one that was closed. */
    idOf(wire: W): string | undefined {
      const known = ids.get(wire)
      if (known !== undefined) return open.has(known) ? known : undefined
      const attachment = attachmentOf(wire)
      return attachment === null || attachment.ended ? undefined : attachment.socket.id
    },

    outletOf: (id: string): Outlet | undefined => open.get(id)?.outlet,

    heard(id: string, now: number): void {
      const connection = open.get(id)
      if (connection !== undefined) connection.heard = now
    },

    write(id: string, text: string, bytes: number): void {
      const connection = open.get(id)
      if (connection === undefined) return
      const { wire, outlet } = connection
      try {
        wire.send(text)
      } catch {
        // It is closing: webSocketClose follows.
        return
      }
      const asked = outlet.sent(bytes)
      if (asked === 'slow') return onSlow(id)
      if (asked !== undefined) wire.send(JSON.stringify({ type: 'flow', n: asked } satisfies ServerFrame))
      if (asked !== undefined || outlet.total() - connection.saved >= outletStep) keep(id)
    },

    close(id: string, code: number, reason: string): void {
      const wire = open.get(id)?.wire
      open.delete(id)
      if (wire === undefined) return
      const attachment = attachmentOf(wire)
      if (attachment !== null) wire.serializeAttachment({ ...attachment, ended: true } satisfies Attachment)
      try {
        wire.close(code, reason)
      } catch {
        // The other side was faster.
      }
    },

    /** Of these, whose other side has given no sign since `moment`; `ponged`: when a ping was last answered. */
    silentSince: (moment: number, among: readonly string[], ponged: (wire: W) => number): string[] =>
      among.filter((id) => {
        const connection = open.get(id)
        if (connection === undefined) return false
        const { wire, heard, connectedAt } = connection
        return Math.max(ponged(wire), heard, connectedAt) < moment
      }),

    openBefore: (moment: number): string[] =>
      [...open].flatMap(([id, { connectedAt }]) => (connectedAt <= moment ? [id] : [])),
  }
}
