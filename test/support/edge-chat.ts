import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { expect } from 'vitest'
import { z } from 'zod'
import { ServerFrame, type ClientFrame, type FrameOf, type LogEvent } from '../../src/chat/protocol.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { api, origin } from './edge-api.ts'
import type { TestUser } from './edge-rows.ts'

const Opened = z.object({ id: z.uuid() })

/** A conversation with support, whose customer this is. */
export const openSupport = async (user: TestUser): Promise<string> => {
  const subject = { type: 'support' }
  const { data, status } = await api('POST', '/api/v1/conversations', {
    token: user.token,
    body: { subject },
  })
  expect([200, 201]).toContain(status)
  return Opened.parse(data).id
}

/** An administrator brings others in. */
export const addMembers = async (admin: TestUser, id: string, ...users: TestUser[]): Promise<void> => {
  for (const { id: userId } of users) {
    const added = await api('POST', `/api/v1/conversations/${id}/members`, {
      token: admin.token,
      body: { userId },
    })
    expect(added.status).toBe(200)
  }
}

const Ticket = z.object({ ticket: z.string(), expiresAt: z.iso.datetime() })

export const ticketFor = async (user: TestUser, target: object): Promise<string> => {
  const { data } = await api('POST', '/api/v1/realtime/tickets', { token: user.token, body: target })
  return Ticket.parse(data).ticket
}

/** An upgrade as it is answered. */
export const handshake = async (id: string, headers: Record<string, string>): Promise<Response> =>
  await exports.default.fetch(`${origin}/api/v1/conversations/${id}/socket`, {
    headers: { Upgrade: 'websocket', ...headers },
  })

export const withTicket = (ticket: string): Record<string, string> => ({
  'Sec-WebSocket-Protocol': `selvedge.v1, ticket.${ticket}`,
})

export const withToken = ({ token }: TestUser): Record<string, string> => ({
  Authorization: `Bearer ${token}`,
})

export const roomOf = (id: string) => env.CHAT_ROOMS.getByName(id)

export const inboxOf = ({ id }: TestUser) => env.INBOXES.getByName(id)

/** The sockets of a room or an inbox have been there for longer by so many milliseconds, and it looks after them. */
export const ageSockets = async (
  object: Parameters<typeof evictDurableObject>[0],
  milliseconds: number,
): Promise<void> => {
  await runInDurableObject(object, (_, state) => {
    for (const socket of state.getWebSockets()) {
      const attachment = socket.deserializeAttachment() as { connectedAt: number }
      socket.serializeAttachment({ ...attachment, connectedAt: attachment.connectedAt - milliseconds })
    }
  })
  await evictDurableObject(object)
  await runDurableObjectAlarm(object)
}

export type TestSocket = ReturnType<typeof clientOf>

const logTypes = ['message', 'messageEdited', 'messageRemoved', 'member']

/** A client that hears everything, holds each frame against the protocol, and says only what it is told to. */
const clientOf = (socket: WebSocket) => {
  const frames: ServerFrame[] = []
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  const single = (): Exclude<ServerFrame, { type: 'batch' }>[] =>
    frames.flatMap((frame) => (frame.type === 'batch' ? frame.events : [frame]))

  socket.accept()
  socket.addEventListener('message', ({ data }) => {
    if (data !== 'pong') frames.push(ServerFrame.parse(JSON.parse(String(data))))
  })
  socket.addEventListener('close', ({ code, reason }) => closed.resolve({ code, reason }))

  const until = async <T>(what: string, find: () => T | undefined, patience = 5_000): Promise<T> => {
    for (const end = Date.now() + patience; Date.now() < end; await sleep(5)) {
      const found = find()
      if (found !== undefined) return found
    }
    throw new Error(`${what} did not come; there were ${JSON.stringify(frames)}`)
  }

  return {
    frames,
    single,
    socket,
    closed: closed.promise,
    say: (frame: ClientFrame) => socket.send(JSON.stringify(frame)),
    raw: (text: string | ArrayBuffer) => socket.send(text),
    close: () => socket.close(1000, 'done'),
    /** The first frame of that type that passes, or what comes. */
    next: <T extends Exclude<ServerFrame['type'], 'batch'>>(
      type: T,
      test: (frame: FrameOf<T>) => boolean = () => true,
    ): Promise<FrameOf<T>> =>
      until(
        type,
        () => single().find((frame) => frame.type === type && test(frame as FrameOf<T>)) as FrameOf<T>,
      ),
    /** What has a place in the log, as it came. */
    log: (): LogEvent[] => single().filter((frame): frame is LogEvent => logTypes.includes(frame.type)),
    until,
  }
}

/** A socket of that user; `resumes` false: it has said nothing yet. */
export const connect = async (
  user: TestUser,
  id: string,
  resumes: object | false = {},
): Promise<TestSocket> => {
  const { status, webSocket } = await handshake(id, withTicket(await ticketFor(user, { conversationId: id })))
  expect(status).toBe(101)
  const client = clientOf(webSocket!)
  if (resumes === false) return client
  client.say({ type: 'resume', after: 0, ...resumes })
  await client.next('ready')
  return client
}
