import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeRoom } from '../../test/support/fake-room.ts'
import { fakeWebSocket, type Faults } from '../../test/support/fake-socket.ts'
import { ada, shop } from '../../test/support/machine-world.ts'
import { createChat } from './chat.ts'
import type { RoomEvent } from './room-types.ts'

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const pass = (ms = 50) => vi.advanceTimersByTimeAsync(ms)

const setUp = (faults: Faults = {}, getTicket = (_: string): Promise<string> => Promise.resolve(ada)) => {
  const room = createFakeRoom([shop, ada])
  const network = fakeWebSocket(room, faults)
  const tickets = vi.fn(getTicket)
  const chat = createChat({
    url: 'https://api.example.com/',
    getTicket: tickets,
    WebSocket: network.WebSocket,
  })
  return { room, network, tickets, chat, mine: chat.join('c1') }
}

const refusal = (status: number, more = {}) =>
  Promise.reject(Object.assign(new Error('no'), { status, ...more }))

describe('joining', () => {
  it('opens the conversation’s socket with a ticket in the subprotocol, never in the URL', async () => {
    const { network, mine, chat } = setUp()
    expect(mine.view.status).toBe('connecting')
    await pass()
    expect(mine.view).toMatchObject({ status: 'online', userId: ada })
    const [socket] = network.open
    expect(socket).toMatchObject({
      url: 'wss://api.example.com/api/v1/conversations/c1/socket',
      protocols: ['selvedge.v1', `ticket.${ada}`],
    })
    expect(chat.join('c1')).toBe(mine)
    mine.close()
    expect(chat.join('c1')).not.toBe(mine)
    chat.close()
    expect(network.open.size).toBe(0)
  })

  it.each([401, 403, 404])('ends when a ticket is refused with %i', async (status) => {
    const { tickets, mine } = setUp({}, () => refusal(status))
    const sent = expect(mine.send('hello')).rejects.toMatchObject({
      code: 'TICKET_REFUSED',
      cause: { status },
    })
    await pass()
    await sent
    expect(mine.view).toMatchObject({ status: 'closed', error: { code: 'TICKET_REFUSED' } })
    await pass(60_000)
    expect(tickets).toHaveBeenCalledTimes(1)
  })

  it('goes on when a ticket is not to be had now, and waits as long as it is told', async () => {
    const answers = [
      () => refusal(503),
      () => refusal(429, { retryAfter: 7_000 }),
      () => Promise.resolve(ada),
    ]
    const { tickets, mine } = setUp({}, () => answers.shift()!())
    await pass()
    expect(mine.view.status).toBe('offline')
    await pass(300)
    expect(tickets).toHaveBeenCalledTimes(2)
    await pass(6_000)
    expect(tickets).toHaveBeenCalledTimes(2)
    await pass(1_000)
    expect(mine.view.status).toBe('online')
    mine.close()
  })

  it('waits longer after each failure, anywhere between nothing and the double, up to ten seconds', async () => {
    let tries: number[] = []
    const { mine } = setUp({
      refuses: () => {
        tries.push(Date.now())
        return true
      },
    })
    await pass(120_000)
    const waits = tries.slice(1).map((time, n) => time - tries[n]!)
    // Half of 500, 1,000, 2,000 … 10,000 ms, and a few for the attempt itself.
    expect(waits.slice(0, 7).map((wait) => Math.round(wait / 50) * 50)).toEqual([
      250, 500, 1000, 2000, 4000, 5000, 5000,
    ])
    tries = []
    vi.mocked(Math.random).mockReturnValue(0)
    await pass(5_500)
    expect(tries.length).toBeGreaterThan(20)
    mine.close()
  })

  it('takes a network that is back for a reason to try at once', async () => {
    let isDown = true
    const { mine } = setUp({ refuses: () => isDown })
    await pass(60_000)
    isDown = false
    mine.nudge()
    await pass(10)
    expect(mine.view.status).toBe('online')
    mine.close()
  })
})

describe('a room', () => {
  it('gives each event to listeners and iterators, in order, until it is closed', async () => {
    const { room, mine } = setUp()
    const heard: string[] = []
    const seen: RoomEvent[] = []
    const stop = mine.on('message', ({ content }) => heard.push(content))
    const reading = (async () => {
      for await (const event of mine) seen.push(event)
    })()
    await pass()
    room.post(shop, 'one')
    await pass()
    stop()
    const sent = mine.send('two')
    await pass()
    await sent
    room.post(shop, 'three')
    await pass()
    mine.close()
    await reading
    expect(heard).toEqual(['one'])
    expect(seen.filter(({ type }) => type === 'status')).toMatchObject([
      { status: 'online' },
      { status: 'closed' },
    ])
    expect(seen.flatMap((event) => (event.type === 'message' ? [event.content] : []))).toEqual([
      'one',
      'two',
      'three',
    ])
    expect(seen.at(-1)).toMatchObject({ type: 'status', status: 'closed', error: { code: 'CLOSED' } })
  })

  it('refuses what could never be stored, without asking', async () => {
    const { mine } = setUp()
    for (const content of ['', ' \n', 'x'.repeat(4_001), 'a\0b', '\ud800']) {
      await expect(mine.send(content)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    }
    expect(mine.view.messages).toEqual([])
    mine.close()
  })

  it('knows a message by its id in any letter case', async () => {
    const { room, mine } = setUp()
    await pass()
    const sent = mine.send('hallo')
    await pass()
    const id = (await sent).id.toUpperCase()
    const edited = mine.edit(id, 'hello')
    await pass()
    await edited
    expect(room.messages()[0]).toMatchObject({ content: 'hello' })
    const removed = mine.remove(id)
    await pass()
    await removed
    expect(room.messages()[0]).toHaveProperty('removedAt')
    mine.close()
  })

  it('ends an iterator that nobody reads rather than keep everything or skip some', async () => {
    const { room, mine } = setUp()
    await pass()
    const iterator = mine[Symbol.asyncIterator]()
    for (let n = 0; n <= 10_000; n += 1) room.tell({ type: 'typing', userId: shop })
    await pass()
    await expect(iterator.next()).rejects.toMatchObject({ code: 'OVERFLOW' })
    mine.close()
  })

  it('a listener that sends, or throws, disturbs nobody', async () => {
    const { room, mine } = setUp()
    const errors: unknown[] = []
    const thrown = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => {
      try {
        callback()
      } catch (error) {
        errors.push(error)
      }
    })
    mine.on('message', () => {
      throw new Error('a listener’s own')
    })
    mine.on('message', ({ from }) => {
      if (from === shop) void mine.send('answer')
    })
    await pass()
    room.post(shop, 'question')
    await pass()
    thrown.mockRestore()
    expect(mine.view.messages.map(({ content }) => content)).toEqual(['question', 'answer'])
    expect(errors).toHaveLength(2)
    mine.close()
  })

  it('keeps its messages in order through cuts, lost answers and repetitions', async () => {
    let frames = 0
    const { room, network, mine } = setUp({
      drops: (text) => text.startsWith('{"type":"ack"') && (frames += 1) % 2 === 0,
      doubles: (text) => text.startsWith('{"type":"send"') && (frames += 1) % 3 === 0,
      refuses: () => (frames += 1) % 4 === 0,
    })
    const sent: Promise<unknown>[] = []
    for (let n = 0; n < 60; n += 1) {
      sent.push(mine.send(`own ${n}`))
      room.post(shop, `other ${n}`)
      if (n % 7 === 3) network.cut()
      await pass(n % 5 === 0 ? 700 : 3)
    }
    await pass(120_000)
    await Promise.all(sent)
    const stored = room.messages()
    expect(stored.filter(({ from }) => from === ada).map(({ content }) => content)).toEqual(
      Array.from({ length: 60 }, (_, n) => `own ${n}`),
    )
    expect(mine.view.messages.map(({ id }) => id)).toEqual(stored.map(({ id }) => id))
    mine.close()
  })
})
