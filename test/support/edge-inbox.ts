import { exports } from 'cloudflare:workers'
import { expect } from 'vitest'
import { ServerFrame } from '../../src/inbox/protocol.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { origin } from './edge-api.ts'
import { ticketFor, withTicket } from './edge-chat.ts'
import type { TestUser } from './edge-rows.ts'

/** Waits for what comes by itself; what does not come throws. */
export const until = async <T>(
  what: string,
  find: () => T | undefined | Promise<T | undefined>,
  patience = 5_000,
): Promise<T> => {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(10)) {
    const found = await find()
    if (found !== undefined) return found
  }
  throw new Error(`${what} did not come`)
}

export const inboxHandshake = async (headers: Record<string, string>): Promise<Response> =>
  await exports.default.fetch(`${origin}/api/v1/inbox/socket`, {
    headers: { Upgrade: 'websocket', ...headers },
  })

/** The user's own socket, which has resumed. */
export const connectInbox = async (user: TestUser, resumes: object | false = {}) => {
  const { status, webSocket } = await inboxHandshake(withTicket(await ticketFor(user, { inbox: true })))
  expect(status).toBe(101)
  const socket = webSocket!
  const frames: ServerFrame[] = []
  const closed = Promise.withResolvers<number>()
  socket.accept()
  socket.addEventListener('message', ({ data }) => {
    if (data !== 'pong') frames.push(ServerFrame.parse(JSON.parse(String(data))))
  })
  socket.addEventListener('close', ({ code }) => closed.resolve(code))
  const next = <T extends ServerFrame['type']>(
    type: T,
    test: (frame: Extract<ServerFrame, { type: T }>) => boolean = () => true,
  ) => {
    type Frame = Extract<ServerFrame, { type: T }>
    const wanted = (frame: ServerFrame): frame is Frame => frame.type === type && test(frame as Frame)
    return until(type, () => frames.find(wanted))
  }
  const say = (frame: object | string) =>
    socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  if (resumes !== false) say({ type: 'resume', ...resumes })
  return { socket, frames, closed: closed.promise, next, say, close: () => socket.close(1000, 'done') }
}

type StreamedEvent = { id?: string; event?: string; data?: unknown }

const eventOf = (block: string): StreamedEvent =>
  Object.fromEntries(
    block.split('\n').flatMap((line) => {
      const [, field = '', value = ''] = /^(id|event|data): (.*)$/.exec(line) ?? []
      if (field === '') return []
      return [[field, field === 'data' ? (JSON.parse(value) as unknown) : value]]
    }),
  )

/** Server-Sent Events as they arrive. */
export const openEvents = async (user: TestUser, lastEventId?: string) => {
  const response = await exports.default.fetch(`${origin}/api/v1/events`, {
    headers: {
      Authorization: `Bearer ${user.token}`,
      ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
    },
  })
  expect(response.status).toBe(200)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const events: StreamedEvent[] = []
  const state = { over: false }
  const read = async () => {
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      text += value
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      events.push(...blocks.map(eventOf).filter(({ event }) => event !== undefined))
    }
    state.over = true
  }
  void read()
  return {
    response,
    events,
    state,
    next: (event: string) => until(event, () => events.find((one) => one.event === event)),
    close: () => reader.cancel(),
  }
}
