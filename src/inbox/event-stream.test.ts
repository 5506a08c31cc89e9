import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventStream, positionOf, type InboxSocket } from './event-stream.ts'

it.each([
  [undefined, undefined],
  ['', undefined],
  ['01a2-b.7', { epoch: '01a2-b', seq: 7 }],
])('the last event %s is the position %o', (lastEventId, position) => {
  expect(positionOf(lastEventId)).toEqual(position)
})

it.each(['garbage', '7', 'a.b', 'a.-1', 'a.1234567890123456', 'ä.1'])(
  'a last event that is none of ours, %s, is a position that no inbox has',
  (lastEventId) => {
    expect(positionOf(lastEventId)).toEqual({ epoch: 'nowhere', seq: 1 })
  },
)

describe('the stream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const open = () => {
    const sent: string[] = []
    const closed: number[] = []
    let hear: (event: { data?: unknown }) => void = () => undefined
    const socket: InboxSocket = {
      accept: () => undefined,
      send: (text) => void sent.push(text),
      close: (code) => void closed.push(code),
      addEventListener: (type, listener) => {
        if (type === 'message') hear = listener
      },
    }
    const reader = eventStream(socket, undefined).getReader()
    const read = async () => new TextDecoder().decode((await reader.read()).value)
    return { sent, closed, reader, read, hear: (frame: object) => hear({ data: JSON.stringify(frame) }) }
  }

  it('has a comment each 10 s, and asks its inbox for a sign of life, until its reader goes', async () => {
    const { sent, closed, reader, read } = open()
    expect(await read()).toBe('retry: 3000\n\n')
    for (let n = 0; n < 2; n++) {
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await read()).toBe(': keep-alive\n\n')
    }
    await reader.cancel()
    expect(closed).toEqual([1000])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toEqual(['{"type":"resume"}', 'ping', 'ping'])
  })

  it('ends when its reader is more than 256 KiB behind', async () => {
    const { closed, reader, hear } = open()
    const unread = { type: 'unread', conversationId: '01a21757-e078-7775-84a7-b9010bbe17ea', unread: 1 }
    for (let n = 0; closed.length === 0 && n < 5_000; n++) hear(unread)
    expect(closed).toEqual([1000])
    let bytes = 0
    for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length
    expect(bytes).toBeGreaterThan(262_144)
    expect(bytes).toBeLessThan(262_144 + 1_000)
  })
})
