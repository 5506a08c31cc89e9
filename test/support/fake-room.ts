import { randomUUID } from 'node:crypto'
import {
  ClientFrame,
  limits,
  ServerFrame,
  type FrameErrorCode,
  type FrameOf,
  type LogEvent,
  type Mark,
  type Member,
  type Message,
} from '../../src/chat/protocol.ts'

/** A socket of the room: what it sends is kept until somebody takes it. */
type FakeSocket = {
  userId: string
  send: (frame: ServerFrame | 'pong') => void
  close: (code: number) => void
  isResumed: boolean
  batch: boolean
}

type Send = Extract<ClientFrame, { type: 'send' }>

export type FakeRoom = ReturnType<typeof createFakeRoom>

/**
 * The room's side of src/chat/protocol.ts, in memory: what the client library is tested against without a Worker. Every
 * frame of either side goes through the protocol's own schemas.
 */
export const createFakeRoom = (users: string[]) => {
  let epoch: string = randomUUID()
  let log: LogEvent[] = []
  /** Places below it are gone, as after a restore. */
  let kept = 0
  let closed = false
  const sockets = new Set<FakeSocket>()
  const marks = new Map<string, Mark>()
  const refusals: FrameOf<'error'>[] = []
  const members: Member[] = users.map((userId, n) => ({ userId, role: n === 0 ? 'shop' : 'customer' }))
  const at = () => new Date().toISOString()

  const head = () => log.at(-1)?.seq ?? 0

  const tell = (socket: FakeSocket, frame: ServerFrame) => socket.send(ServerFrame.parse(frame))

  const broadcast = (
    event: FrameOf<'message' | 'messageEdited' | 'messageRemoved' | 'member' | 'receipt' | 'typing'>,
  ) => {
    for (const socket of sockets) {
      if (!socket.isResumed) continue
      tell(socket, socket.batch ? { type: 'batch', events: [event] } : event)
    }
  }

  const raise = (userId: string, { delivered, read }: { delivered: number; read: number }) => {
    const known = marks.get(userId) ?? { userId, delivered: 0, read: 0 }
    const mark = {
      userId,
      delivered: Math.max(known.delivered, Math.min(head(), Math.max(delivered, read))),
      read: Math.max(known.read, Math.min(head(), read)),
    }
    marks.set(userId, mark)
    broadcast({ type: 'receipt', marks: [mark] })
  }

  /** Messages as they are now, whatever their events said at the time. */
  const messages = (): Message[] => {
    const byId = new Map<string, Message>()
    for (const event of log) {
      if (event.type === 'message') {
        const { type: _, ...message } = event
        byId.set(event.id, message)
      } else if (event.type !== 'member') {
        const known = byId.get(event.id)
        if (known === undefined) continue
        if (event.type === 'messageEdited')
          Object.assign(known, { content: event.content, editedAt: event.at })
        else Object.assign(known, { content: '', removedAt: event.at })
      }
    }
    return [...byId.values()]
  }

  const append = (event: LogEvent) => {
    log.push(event)
    broadcast(event)
  }

  const post = (from: string | null, { clientId, content, attachments }: Omit<Send, 'type'>) => {
    const known = messages().find((message) => message.from === from && message.clientId === clientId)
    if (known !== undefined) return known
    const message: Message = {
      ...{ seq: head() + 1, id: randomUUID(), clientId, from, at: at(), content },
      ...(attachments === undefined
        ? {}
        : { attachments: attachments.map((id) => ({ id, name: 'a.png', type: 'image/png', variants: [] })) }),
    }
    append({ type: 'message', ...message })
    return message
  }

  const onResume = (
    socket: FakeSocket,
    { after, epoch: known, batch = false }: Extract<ClientFrame, { type: 'resume' }>,
  ) => {
    if (after > 0 && (known !== epoch || after > head() || after < kept)) {
      return tell(socket, { type: 'resync', epoch, head: head() })
    }
    const missed = log.filter(({ seq }) => seq > Math.max(after, kept))
    const complete = after > 0 || (kept === 0 && missed.length <= limits.recent)
    socket.isResumed = true
    socket.batch = batch
    tell(socket, {
      ...{ type: 'ready', epoch, head: head(), complete, userId: socket.userId, closed },
      ...{ members, marks: [...marks.values()] },
    })
    const events = complete ? missed : missed.slice(-limits.recent)
    if (batch && events.length > 0) tell(socket, { type: 'batch', events })
    else for (const event of events) tell(socket, event)
  }

  const onChange = (socket: FakeSocket, frame: Extract<ClientFrame, { type: 'edit' | 'remove' }>) => {
    const known = messages().find(
      ({ id, from, removedAt }) => id === frame.id && from === socket.userId && !removedAt,
    )
    if (known === undefined) return tell(socket, { type: 'error', code: 'NOT_FOUND', id: frame.id })
    const place = { seq: head() + 1, id: frame.id, at: at() }
    if (frame.type === 'edit') append({ type: 'messageEdited', ...place, content: frame.content })
    else append({ type: 'messageRemoved', ...place, by: socket.userId })
  }

  const onSend = (socket: FakeSocket, frame: Send) => {
    const refusal = refusals.shift()
    if (refusal !== undefined) return tell(socket, { ...refusal, clientId: frame.clientId })
    if (closed) return tell(socket, { type: 'error', code: 'CONVERSATION_CLOSED', clientId: frame.clientId })
    const { seq, id, at: when } = post(socket.userId, frame)
    tell(socket, { type: 'ack', clientId: frame.clientId, id, seq, at: when })
  }

  const onFrame = (socket: FakeSocket, frame: ClientFrame) => {
    if (!socket.isResumed && frame.type !== 'resume' && frame.type !== 'flow') {
      return tell(socket, { type: 'error', code: 'NOT_RESUMED' })
    }
    switch (frame.type) {
      case 'resume':
        return onResume(socket, frame)
      case 'send':
        return onSend(socket, frame)
      case 'edit':
      case 'remove':
        return onChange(socket, frame)
      case 'typing':
        return broadcast({ type: 'typing', userId: socket.userId })
      case 'delivered':
        return raise(socket.userId, { delivered: frame.seq, read: 0 })
      case 'read':
        return raise(socket.userId, { delivered: frame.seq, read: frame.seq })
      case 'history': {
        const older = messages().filter(({ seq }) => seq < (frame.before ?? Infinity))
        const page = older.slice(-frame.limit)
        const hasMore = page.length < older.length
        return tell(socket, { type: 'history', before: frame.before ?? null, messages: page, hasMore })
      }
      case 'flow':
        return
    }
  }

  return {
    get head() {
      return head()
    },
    get epoch() {
      return epoch
    },
    messages,
    marks,
    sockets,
    connect(socket: Omit<FakeSocket, 'isResumed' | 'batch'>) {
      const one: FakeSocket = { ...socket, isResumed: false, batch: false }
      sockets.add(one)
      return {
        hear(text: string): void {
          if (!sockets.has(one)) return
          if (text === 'ping') return one.send('pong')
          const parsed = ClientFrame.safeParse(JSON.parse(text))
          if (parsed.success) onFrame(one, parsed.data)
          else tell(one, { type: 'error', code: 'INVALID_FRAME' })
        },
        leave: () => void sockets.delete(one),
      }
    },
    /** As another member, or the system, would. */
    post: (from: string | null, content: string) => post(from, { clientId: randomUUID(), content }),
    append: (event: LogEvent) => append(event),
    tell: (frame: ServerFrame) => sockets.forEach((socket) => tell(socket, frame)),
    /** The next `send` is answered so. */
    refuse: (code: FrameErrorCode, retryAfter?: number) =>
      void refusals.push({ type: 'error', code, ...(retryAfter === undefined ? {} : { retryAfter }) }),
    setClosed(value: boolean) {
      closed = value
    },
    /** Another log altogether: restored from a backup that lacks the last `lost` events. */
    restore(lost: number): void {
      epoch = randomUUID()
      log = log.slice(0, log.length - lost)
    },
    /** The events before that place are no longer kept for resuming. */
    trim(below: number): void {
      kept = below
    },
    closeAll(code: number): void {
      for (const socket of [...sockets]) {
        sockets.delete(socket)
        socket.close(code)
      }
    },
  }
}
