import { describe, expect, it } from 'vitest'
import { eventStream, type InboxSocket } from '../../src/inbox/event-stream.ts'
import { readEvents, type ServerEvent } from './server-events.ts'

const streamOf = (chunks: Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })

const read = async (body: ReadableStream<Uint8Array>) => {
  const heard: ServerEvent[] = []
  let signs = 0
  await readEvents(
    body,
    (event) => void heard.push(event),
    () => void (signs += 1),
  )
  return { heard, signs }
}

const text =
  'retry: 3000\n\nid: e.7\nevent: upload\ndata: {"name":"Schön ☂"}\n\n: keep-alive\n\nevent: unread\ndata: 1\n\n'
const expected = [
  { name: 'upload', data: { name: 'Schön ☂' }, id: 'e.7' },
  { name: 'unread', data: 1, id: undefined },
]

describe('the reader of server-sent events', () => {
  it('reads the same however the bytes are cut', async () => {
    const bytes = new TextEncoder().encode(text)
    for (let size = 1; size <= bytes.length; size += 1) {
      const chunks: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size))
      expect((await read(streamOf(chunks))).heard).toEqual(expected)
    }
  })

  it('hears comments as a sign of life, and not the event that a cut has left unfinished', async () => {
    const encode = (part: string) => new TextEncoder().encode(part)
    const { heard, signs } = await read(
      streamOf([encode(': keep-alive\n\n'), encode('event: unread\ndata: 2\n')]),
    )
    expect([heard, signs]).toEqual([[], 2])
  })

  it('understands what the API writes', async () => {
    const listeners = new Map<string, (event: { data?: unknown }) => void>()
    const socket: InboxSocket = {
      accept: () => undefined,
      send: () => undefined,
      close: () => undefined,
      addEventListener: (type: string, listener: (event: { data?: unknown }) => void) =>
        void listeners.set(type, listener),
    }
    const reading = read(eventStream(socket, undefined))
    const conversationId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f31'
    const frames = [
      { type: 'ready', epoch: 'e', head: 3, unread: [{ conversationId, unread: 1 }] },
      { type: 'unread', conversationId, unread: 2 },
    ]
    for (const frame of frames) listeners.get('message')?.({ data: JSON.stringify(frame) })
    listeners.get('close')?.({})
    expect((await reading).heard).toEqual([
      { name: 'ready', data: { head: 3 }, id: 'e.3' },
      { name: 'unread', data: { conversationId, unread: 1 }, id: undefined },
      { name: 'unread', data: { conversationId, unread: 2 }, id: undefined },
    ])
  })
})
