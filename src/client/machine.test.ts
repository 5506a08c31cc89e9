import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ada, createMachineWorld, shop } from '../../test/support/machine-world.ts'

const contents = (world: ReturnType<typeof createMachineWorld>) =>
  world.machine.view().messages.map(({ content }) => content)

const states = (world: ReturnType<typeof createMachineWorld>) =>
  Object.fromEntries(world.machine.view().messages.map(({ content, state }) => [content, state]))

const framesOf = (world: ReturnType<typeof createMachineWorld>, type: string) =>
  world.sent
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text))
    .filter((frame) => frame.type === type)

const statuses = (world: ReturnType<typeof createMachineWorld>) =>
  world.events.flatMap((event) => (event.type === 'status' ? [event.status] : []))

describe('messages', () => {
  it('are shown at once, sent when online, and settled by the acknowledgement', () => {
    const world = createMachineWorld()
    world.send('one')
    expect(states(world)).toEqual({ one: 'sending' })
    expect(framesOf(world, 'send')).toEqual([])
    expect(world.machine.view().isPending).toBe(true)
    world.online()
    expect(world.machine.view().isPending).toBe(false)
    expect(states(world)).toEqual({ one: 'sent' })
    expect(world.settled.get('one')).toMatchObject({ clientId: 'one', seq: 1 })
  })

  it('that are written before the room has answered are one’s own', () => {
    const world = createMachineWorld()
    world.send('mine')
    world.online()
    expect(world.machine.view().messages.map(({ from }) => from)).toEqual([ada])
    world.cut()
    world.send('more')
    expect(world.machine.view().messages.map(({ from }) => from)).toEqual([ada, ada])
  })

  it('go one at a time, so that one which has to wait is not overtaken', () => {
    const world = createMachineWorld()
    world.online()
    world.room.refuse('RATE_LIMITED', 3_000)
    for (const content of ['one', 'two', 'three']) world.send(content)
    world.flow()
    expect(states(world)).toEqual({ one: 'sending', two: 'sending', three: 'sending' })
    world.wait(2_999)
    world.flow()
    expect(world.room.messages()).toEqual([])
    world.wait(1)
    world.flow()
    expect(world.room.messages().map(({ content }) => content)).toEqual(['one', 'two', 'three'])
  })

  it('are sent again while no answer comes, and are in the room once', () => {
    const world = createMachineWorld()
    world.online()
    world.send('one')
    world.arriveAtRoom()
    // The message itself reaches nobody either.
    world.arriveAtClient(0)
    world.loseAck()
    world.wait(5_000)
    world.flow()
    expect(framesOf(world, 'send')).toHaveLength(2)
    expect(world.room.messages()).toHaveLength(1)
    expect(world.settled.has('one')).toBe(true)
  })

  it('whose acknowledgement was lost are settled by what the resumed log says, and not sent again', () => {
    const world = createMachineWorld()
    world.online()
    world.send('one')
    world.arriveAtRoom()
    world.cut()
    expect(states(world)).toEqual({ one: 'sending' })
    world.online()
    expect(framesOf(world, 'send')).toHaveLength(1)
    expect(world.settled.get('one')).toMatchObject({ seq: 1 })
    expect(contents(world)).toEqual(['one'])
  })

  it('that the room refuses fail with its code, and can be tried again or forgotten', () => {
    const world = createMachineWorld()
    world.online()
    world.room.refuse('ATTACHMENT_REFUSED')
    world.send('one')
    world.send('two')
    world.flow()
    expect(world.failed).toEqual(new Map([['one', 'ATTACHMENT_REFUSED']]))
    expect(states(world)).toEqual({ one: 'failed', two: 'sent' })
    world.failed.clear()
    world.step({ type: 'retry', clientId: 'one', at: new Date().toISOString() })
    world.flow()
    expect(contents(world)).toEqual(['two', 'one'])
    world.room.refuse('ATTACHMENT_REFUSED')
    world.send('three')
    world.flow()
    world.step({ type: 'discard', clientId: 'three' })
    expect(contents(world)).toEqual(['two', 'one'])
  })

  it('of somebody else who uses the same clientId settle nothing', () => {
    const world = createMachineWorld()
    world.online()
    world.send('mine')
    world.room.append({
      ...{ type: 'message', seq: 1, id: '00000000-0000-4000-8000-0000000000aa', clientId: 'mine' },
      ...{ from: shop, at: new Date().toISOString(), content: 'theirs' },
    })
    world.arriveAtClient()
    expect(world.settled.size).toBe(0)
    world.flow()
    expect(contents(world)).toEqual(['theirs', 'mine'])
  })

  it('are edited and removed once the log says so', () => {
    const world = createMachineWorld()
    world.online()
    world.send('one')
    world.flow()
    const id = world.machine.view().messages[0]?.id ?? ''
    world.step({ type: 'change', key: 'edit', frame: { type: 'edit', id, content: 'uno' } })
    expect(world.settled.has('edit')).toBe(false)
    world.flow()
    expect(world.settled.has('edit')).toBe(true)
    expect(contents(world)).toEqual(['uno'])
    world.step({ type: 'change', key: 'same', frame: { type: 'edit', id, content: 'uno' } })
    expect(world.settled.has('same')).toBe(true)
    world.step({ type: 'change', key: 'remove', frame: { type: 'remove', id } })
    world.flow()
    expect(world.machine.view().messages).toMatchObject([{ content: '', removedAt: expect.any(String) }])
    world.step({ type: 'change', key: 'late', frame: { type: 'edit', id, content: 'eins' } })
    world.flow()
    expect(world.failed.get('late')).toBe('NOT_FOUND')
  })

  it('changes that were made while away are not missed', () => {
    const world = createMachineWorld()
    world.online()
    const { id } = world.room.post(shop, 'one')
    world.room.post(shop, 'two')
    world.flow()
    world.cut()
    const at = new Date().toISOString()
    world.room.append({ type: 'messageEdited', seq: 3, id, at, content: 'uno' })
    world.room.post(shop, 'three')
    world.online()
    expect(contents(world)).toEqual(['uno', 'two', 'three'])
  })
})

describe('the place in the log', () => {
  it('is what it resumes from, of that epoch', () => {
    const world = createMachineWorld()
    world.room.post(shop, 'one')
    world.online()
    world.cut()
    world.connect()
    expect(framesOf(world, 'resume')).toEqual([
      { type: 'resume', after: 0, batch: true },
      { type: 'resume', after: 1, epoch: world.room.epoch, batch: true },
    ])
  })

  it('is not left when an event is missing: another connection asks for it', () => {
    const world = createMachineWorld()
    world.online()
    world.room.post(shop, 'one')
    world.room.post(shop, 'two')
    world.arriveAtClient(0)
    world.arriveAtClient()
    expect(contents(world)).toEqual([])
    expect(world.isConnected).toBe(false)
    world.online()
    expect(contents(world)).toEqual(['one', 'two'])
  })

  it('and events that come again are no news', () => {
    const world = createMachineWorld()
    world.online()
    world.room.post(shop, 'one')
    world.arriveAtClient(3)
    expect(contents(world)).toEqual(['one'])
    expect(world.events.filter(({ type }) => type === 'message')).toHaveLength(1)
  })

  it.each([
    ['another epoch', (room: ReturnType<typeof createMachineWorld>['room']) => room.restore(1)],
    ['gone', (room: ReturnType<typeof createMachineWorld>['room']) => room.trim(2)],
  ])('%s: says so, forgets what it had, and begins with the newest', (_, lose) => {
    const world = createMachineWorld()
    world.room.post(shop, 'one')
    world.online()
    world.cut()
    for (const content of ['two', 'three', 'four']) world.room.post(shop, content)
    lose(world.room)
    world.send('mine')
    world.online()
    expect(world.events.filter(({ type }) => type === 'reset')).toHaveLength(1)
    const known = world.room.messages().map(({ content }) => content)
    expect(contents(world)).toEqual(known.slice(-contents(world).length))
    expect(contents(world)).toContain('mine')
    world.step({ type: 'history', key: 'older', limit: 50 })
    world.flow()
    expect(contents(world)).toEqual(known)
  })

  it('of a long conversation begins with the newest 200, and history has the rest once', () => {
    const world = createMachineWorld()
    for (let n = 1; n <= 350; n += 1) world.room.post(shop, `${n}`)
    world.online()
    expect(contents(world)).toHaveLength(200)
    expect(world.machine.view().hasMore).toBe(true)
    world.step({ type: 'history', key: 'a', limit: 100 })
    world.step({ type: 'history', key: 'b', limit: 100 })
    world.arriveAtRoom()
    world.cut()
    world.online()
    expect(contents(world)).toEqual(Array.from({ length: 350 }, (_, n) => `${n + 1}`))
    expect(world.machine.view().hasMore).toBe(false)
    world.step({ type: 'history', key: 'c', limit: 100 })
    expect(world.settled.get('c')).toEqual([])
  })
})

describe('marks', () => {
  it('are reported at most every 500 ms, and show as ticks', () => {
    const world = createMachineWorld()
    world.online()
    for (let n = 0; n < 4; n += 1) {
      world.room.post(shop, `${n}`)
      world.flow()
      world.wait(100)
    }
    expect(framesOf(world, 'delivered').map(({ seq }) => seq)).toEqual([1])
    world.wait(100)
    world.flow()
    expect(framesOf(world, 'delivered').map(({ seq }) => seq)).toEqual([1, 4])
    world.send('mine')
    world.flow()
    const seq = world.room.head
    for (const [mark, state] of [
      [{ delivered: seq, read: 0 }, 'delivered'],
      [{ delivered: seq, read: seq }, 'read'],
      [{ delivered: 0, read: 0 }, 'read'],
    ] as const) {
      world.room.tell({ type: 'receipt', marks: [{ userId: shop, ...mark }] })
      world.flow()
      expect(states(world).mine).toBe(state)
    }
  })

  it('of one’s own are never told for one’s own messages', () => {
    const world = createMachineWorld()
    world.online()
    world.send('mine')
    world.flow()
    world.wait(1_000)
    expect(framesOf(world, 'delivered')).toEqual([])
  })

  it('made on another device are one’s own here too, and are not reported again', () => {
    const world = createMachineWorld()
    world.room.post(shop, 'one')
    world.online()
    world.room.tell({ type: 'receipt', marks: [{ userId: ada, delivered: 1, read: 1 }] })
    world.flow()
    expect(world.machine.view().read).toBe(1)
    world.step({ type: 'markRead' })
    world.wait(500)
    expect(framesOf(world, 'read')).toEqual([])
  })

  it('made while away are reported on the next connection, and never go back', () => {
    const world = createMachineWorld()
    world.room.post(shop, 'one')
    world.online()
    world.wait(500)
    world.cut()
    world.step({ type: 'markRead' })
    world.online()
    world.wait(500)
    expect(framesOf(world, 'read')).toEqual([{ type: 'read', seq: 1 }])
    world.step({ type: 'markRead', seq: 99 })
    expect(world.machine.view().read).toBe(1)
  })
})

describe('the connection', () => {
  it('answers flow, so that a slow room knows that we read', () => {
    const world = createMachineWorld()
    world.online()
    world.room.tell({ type: 'flow', n: 7 })
    world.arriveAtClient()
    expect(framesOf(world, 'flow')).toEqual([{ type: 'flow', n: 7 }])
  })

  it('that has been quiet is asked whether it lives, and left when it does not answer', () => {
    const world = createMachineWorld()
    world.online()
    world.wait(25_000)
    expect(world.sent.at(-1)).toBe('ping')
    world.flow()
    expect(world.isConnected).toBe(true)
    world.wait(25_000)
    world.wait(8_000)
    expect(world.isConnected).toBe(false)
    expect(statuses(world)).toEqual(['online', 'offline'])
  })

  it('asks too while it hears and says nothing itself: the room hears only what we say', () => {
    const world = createMachineWorld()
    world.online()
    const pings = () => world.sent.filter((text) => text === 'ping').length
    for (let n = 0; n < 30; n += 1) {
      world.wait(2_000)
      world.room.tell({ type: 'typing', userId: shop })
      world.flow()
    }
    expect(pings()).toBe(2)
    expect(statuses(world)).toEqual(['online'])
  })

  it('knows of presence what the room says after it is back, and nothing older', () => {
    const world = createMachineWorld()
    world.online()
    world.room.tell({ type: 'presence', userId: shop, status: 'online', lastSeen: null })
    world.flow()
    expect([...world.machine.view().presence.keys()]).toEqual([shop])
    world.cut()
    world.online()
    expect([...world.machine.view().presence.keys()]).toEqual([])
  })

  it('says offline when the first attempt fails', () => {
    const world = createMachineWorld()
    expect(world.machine.view().status).toBe('connecting')
    world.step({ type: 'failed' })
    expect(world.machine.view().status).toBe('offline')
  })

  it.each([
    [4001, 'REVOKED'],
    [4003, 'REMOVED'],
  ])('closed with %i is closed for good, and every promise ends', (code, why) => {
    const world = createMachineWorld()
    world.online()
    world.send('one')
    world.step({ type: 'history', key: 'older', limit: 10 })
    world.cut(code)
    expect(world.machine.view()).toMatchObject({ status: 'closed', error: { code: why } })
    expect(world.failed.get('one')).toBe(why)
    world.send('two')
    expect(world.failed.get('two')).toBe(why)
    expect(states(world)).toEqual({ one: 'failed' })
  })

  it.each([1000, 1006, 1012, 4008, 4009])('closed with %i comes back', (code) => {
    const world = createMachineWorld()
    world.online()
    world.cut(code)
    expect(world.machine.view().status).toBe('offline')
  })

  it('that is not understood three times in a row is closed for good', () => {
    const world = createMachineWorld()
    for (let n = 1; n <= 3; n += 1) {
      world.connect()
      world.cut(4400)
      expect(world.machine.view().status).toBe(n < 3 ? 'offline' : 'closed')
    }
    expect(world.machine.view().error?.code).toBe('PROTOCOL')
  })
})

describe('typing', () => {
  it('is told every two seconds at most, never for later, and ends by itself or with a message', () => {
    const world = createMachineWorld()
    world.step({ type: 'typing' })
    world.online()
    expect(framesOf(world, 'typing')).toEqual([])
    for (let n = 0; n < 20; n += 1) {
      world.step({ type: 'typing' })
      world.wait(100)
    }
    expect(framesOf(world, 'typing')).toHaveLength(1)
    world.room.tell({ type: 'typing', userId: shop })
    world.flow()
    expect(world.machine.view().typing).toEqual([shop])
    world.wait(3_000)
    expect(world.machine.view().typing).toEqual([])
    world.room.tell({ type: 'typing', userId: shop })
    world.room.post(shop, 'one')
    world.flow()
    expect(world.machine.view().typing).toEqual([])
  })
})

describe('whatever the network does', () => {
  const command = fc.oneof(
    fc.record({ do: fc.constantFrom('send', 'post', 'connect', 'cut', 'lose', 'flow', 'history') }),
    fc.record({
      do: fc.constantFrom('arriveAtRoom', 'arriveAtClient'),
      times: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ do: fc.constant('wait'), times: fc.integer({ min: 1, max: 12_000 }) }),
    fc.record({ do: fc.constant('limit'), times: fc.integer({ min: 0, max: 9_000 }) }),
  ) as fc.Arbitrary<{ do: string; times?: number }>

  const play = (world: ReturnType<typeof createMachineWorld>, script: { do: string; times?: number }[]) => {
    const keys: string[] = []
    for (const [n, { do: what, times = 1 }] of script.entries()) {
      if (what === 'send') {
        keys.push(`own-${n}`)
        world.send(`own-${n}`)
      } else if (what === 'post') world.room.post(shop, `other-${n}`)
      else if (what === 'limit') world.room.refuse(times % 2 === 0 ? 'RATE_LIMITED' : 'NOT_RESUMED', times)
      else if (what === 'history') world.step({ type: 'history', key: `history-${n}`, limit: 10 })
      else if (what === 'wait') world.wait(times)
      else if (what === 'arriveAtRoom' || what === 'arriveAtClient') world[what](times)
      else if (what === 'connect' || what === 'cut' || what === 'lose' || what === 'flow') world[what]()
    }
    world.settle()
    return keys
  }

  it('every message is in the room once and in the order of sending, and shown once and in the room’s order', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (script) => {
        const world = createMachineWorld()
        const keys = play(world, script)
        expect([...world.settled.keys()].filter((key) => key.startsWith('own'))).toEqual(keys)
        const stored = world.room.messages()
        expect(stored.flatMap(({ from, clientId }) => (from === ada ? [clientId] : []))).toEqual(keys)
        expect(contents(world)).toEqual(stored.map(({ content }) => content))
        const seqs = world.events.flatMap((event) => (event.type === 'message' ? [event.seq] : []))
        expect(seqs).toEqual(stored.map(({ seq }) => seq))
      }),
      { numRuns: 300 },
    )
  })
})
