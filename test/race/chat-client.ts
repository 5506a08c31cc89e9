import { setTimeout as sleep } from 'node:timers/promises'
import { ServerFrame, type BatchedFrame } from '../../src/chat/protocol.ts'
import type { Promised } from '../support/chat-history.ts'
import type { Api } from '../support/api.ts'

type Options = {
  api: Api
  name: string
  token: string
  room: string
  /** Milliseconds between an ack and the next message. */
  pause: () => number
}

export type ChatClient = ReturnType<typeof startClient>

/**
 * The plainest client that keeps the protocol's rules, and writes down what it is told: resumes from its last position,
 * sends again what was not acknowledged, and never corrects what it hears.
 */
export const startClient = ({ api, name, token, room, pause }: Options) => {
  const events: { seq: number; id: string }[] = []
  const promised: Promised[] = []
  const outbox: string[] = []
  const readyAt: number[] = []
  /** As it was last told, by user. */
  const presence = new Map<string, 'online' | 'offline'>()
  let [position, epoch, head, resyncs] = [0, undefined as string | undefined, 0, 0]
  let socket: WebSocket | undefined
  let [isReady, isStopped, sent, wanted, isWaiting] = [false, false, 0, 0, false]

  const say = (frame: object) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
  }
  const send = (clientId: string) => say({ type: 'send', clientId, content: `${clientId} says hello` })

  const next = async (): Promise<void> => {
    if (isWaiting || outbox.length > 0 || sent >= wanted) return
    isWaiting = true
    await sleep(pause())
    isWaiting = false
    sent += 1
    const clientId = `${name}:${sent}`
    outbox.push(clientId)
    if (isReady) send(clientId)
  }

  const hear = (frame: BatchedFrame): void => {
    if (frame.type === 'ack') {
      promised.push({ room, clientId: frame.clientId, id: frame.id, seq: frame.seq })
      const at = outbox.indexOf(frame.clientId)
      if (at >= 0) outbox.splice(at, 1)
      void next()
    }
    if (frame.type === 'presence') presence.set(frame.userId, frame.status)
    if (frame.type !== 'message' && frame.type !== 'member') return
    events.push({ seq: frame.seq, id: frame.type === 'message' ? frame.id : `member ${frame.seq}` })
    position = Math.max(position, frame.seq)
    head = Math.max(head, frame.seq)
  }

  const onFrame = (frame: ServerFrame): void => {
    if (frame.type === 'batch') for (const event of frame.events) hear(event)
    else if (frame.type === 'flow') say(frame)
    else if (frame.type === 'resync') resyncs += 1
    else if (frame.type === 'ready') {
      ;({ epoch } = frame)
      head = Math.max(head, frame.head)
      isReady = true
      readyAt.push(Date.now())
      for (const clientId of outbox) send(clientId)
      void next()
    } else if (frame.type !== 'history' && frame.type !== 'error') hear(frame)
  }

  /** One connection, until it ends. */
  const live = async (): Promise<void> => {
    const { status, body } = await api.call('POST', '/api/v1/realtime/tickets', {
      token,
      body: { conversationId: room },
    })
    if (status !== 201) throw new Error(`A ticket: ${status}`)
    if (isStopped) return
    const url = `${api.base.replace('http', 'ws')}/api/v1/conversations/${room}/socket`
    const opened = new WebSocket(url, ['selvedge.v1', `ticket.${body.data.ticket}`])
    socket = opened
    const ended = Promise.withResolvers<void>()
    opened.addEventListener('open', () =>
      say({ type: 'resume', after: position, ...(epoch !== undefined && { epoch }), batch: true }),
    )
    opened.addEventListener('message', ({ data }) => onFrame(ServerFrame.parse(JSON.parse(String(data)))))
    opened.addEventListener('close', () => ended.resolve())
    opened.addEventListener('error', () => ended.resolve())
    await ended.promise
    isReady = false
  }

  const running = (async () => {
    for (let failures = 0; !isStopped; failures++) {
      await live().catch(() => undefined)
      isReady = false
      await sleep(Math.random() * Math.min(1_000, 100 * 2 ** Math.min(failures, 4)))
    }
  })()

  return {
    name,
    room,
    events,
    promised,
    readyAt,
    presence,
    /** So many messages more. */
    want(messages: number) {
      wanted += messages
      void next()
    },
    isDone: () => sent === wanted && outbox.length === 0,
    isCurrent: (seq: number) => position >= seq,
    state: () => ({ name, position, head, sent, wanted, outbox: outbox.length, isReady, resyncs }),
    head: () => head,
    async stop() {
      isStopped = true
      socket?.close()
      await running
    },
  }
}
