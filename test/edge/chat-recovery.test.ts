import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import type { LogEvent } from '../../src/chat/protocol.ts'
import { createRoomStore } from '../../src/chat/store.ts'
import { newId } from '../../src/shared/ids.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { addMembers, connect, openSupport, roomOf, type TestSocket } from '../support/edge-chat.ts'
import { newUser } from '../support/edge-rows.ts'

/** As the platform does it: a room with a timer is awake. */
const sleepRoom = async (id: string): Promise<void> => {
  await sleep(300)
  await evictDurableObject(roomOf(id))
}

const world = async () => {
  const customer = await newUser()
  return { customer, id: await openSupport(customer) }
}

const say = async (socket: TestSocket, content: string) => {
  const clientId = newId()
  socket.say({ type: 'send', clientId, content })
  return await socket.next('ack', (ack) => ack.clientId === clientId)
}

const seqs = (log: readonly LogEvent[]): number[] => log.map(({ seq }) => seq)

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n)

/** A log of one member and so many messages, and the room asleep or restarted; who wrote it is gone. */
const asleep = async (messages: number) => {
  const { customer, id } = await world()
  const writer = await connect(customer, id)
  const { epoch } = await writer.next('ready')
  for (let n = 1; n <= messages; n++) await say(writer, `message ${n}`)
  const head = messages + 1
  await writer.until('all of it', () => (writer.log().length >= messages ? true : undefined))
  writer.close()
  await writer.closed
  await evictDurableObject(roomOf(id))
  return { customer, id, epoch, head }
}

/** Resumes and waits until everything up to `head` is there. */
const resumed = async (user: Parameters<typeof connect>[0], id: string, resume: object, head: number) => {
  const socket = await connect(user, id, resume)
  await sleep(30)
  const ready = await socket.next('ready')
  expect(ready.head).toBe(head)
  return { ready, log: socket.log(), socket }
}

describe.each([{ batch: true }, { batch: false }])('resuming after an eviction ($batch)', ({ batch }) => {
  it('where one is: nothing comes', async () => {
    const { customer, id, epoch, head } = await asleep(3)
    const { log, ready } = await resumed(customer, id, { after: head, epoch, batch }, head)
    expect([log, ready.complete]).toEqual([[], true])
  })

  it('behind: what is missing comes, in order', async () => {
    const { customer, id, epoch, head } = await asleep(5)
    const { log, ready } = await resumed(customer, id, { after: 2, epoch, batch }, head)
    expect([seqs(log), ready.complete]).toEqual([range(3, head), true])
  })

  it('from nothing: all of it, or the newest', async () => {
    const { customer, id, head } = await asleep(4)
    const { log, ready } = await resumed(customer, id, { after: 0, batch }, head)
    expect([seqs(log), ready.complete]).toEqual([range(1, head), true])
  })

  it('ahead, of another epoch, or of none: resync, and then from nothing', async () => {
    const { customer, id, epoch, head } = await asleep(3)
    for (const resume of [{ after: head + 1, epoch }, { after: 1, epoch: newId() }, { after: 1 }]) {
      const socket = await connect(customer, id, false)
      socket.say({ type: 'resume', batch, ...resume })
      expect(await socket.next('resync')).toEqual({ type: 'resync', epoch, head })
      socket.say({ type: 'send', clientId: newId(), content: 'x' })
      expect((await socket.next('error')).code).toBe('NOT_RESUMED')
      socket.say({ type: 'resume', after: 0, batch })
      await socket.next('ready')
      await sleep(30)
      expect(seqs(socket.log())).toEqual(range(1, head))
      socket.close()
      await socket.closed
    }
  })

  it('from a place that was dropped: resync, and then what is left', async () => {
    const { customer, id, epoch, head } = await asleep(6)
    await runInDurableObject(roomOf(id), (_, { storage }) => {
      createRoomStore(storage, newId).dropOldest(1, 3)
    })
    await evictDurableObject(roomOf(id))
    const socket = await connect(customer, id, false)
    socket.say({ type: 'resume', after: 2, epoch, batch })
    await socket.next('resync')
    socket.say({ type: 'resume', after: 0, batch })
    const ready = await socket.next('ready')
    await sleep(30)
    expect([seqs(socket.log()), ready.complete]).toEqual([range(4, head), false])
    socket.say({ type: 'history', limit: 100 })
    expect(await socket.next('history')).toMatchObject({
      hasMore: false,
      messages: range(4, head).map((seq) => ({ seq })),
    })
    // At the edge: the last that was dropped is known to have been had.
    const edge = await resumed(customer, id, { after: 3, epoch, batch }, head)
    expect(seqs(edge.log)).toEqual(range(4, head))
  })

  it('an empty room', async () => {
    const { customer, id } = await world()
    await evictDurableObject(roomOf(id))
    const { log } = await resumed(customer, id, { after: 0, batch }, 1)
    expect(log).toMatchObject([{ type: 'member', change: 'joined', userId: customer.id }])
  })

  it('edits and removals while away: they come, and what was removed is nowhere told', async () => {
    const { customer, id, epoch, head } = await asleep(3)
    const writer = await connect(customer, id)
    const [first, second] = writer.log().filter((event) => event.type === 'message')
    await writer.until('the log', () => (writer.log().length >= head ? true : undefined))
    const [one, two] = writer.log().filter((event) => event.type === 'message')
    expect([first, second].length).toBe(2)
    writer.say({ type: 'edit', id: one!.id, content: 'reworded' })
    await writer.next('messageEdited')
    writer.say({ type: 'edit', id: two!.id, content: 'a secret' })
    await writer.next('messageEdited', (frame) => frame.id === two!.id)
    writer.say({ type: 'remove', id: two!.id })
    await writer.next('messageRemoved')
    await sleepRoom(id)
    const late = await resumed(customer, id, { after: head, epoch, batch }, head + 3)
    expect(late.log).toMatchObject([
      { type: 'messageEdited', seq: head + 1, id: one!.id, content: 'reworded' },
      { type: 'messageEdited', seq: head + 2, id: two!.id, content: '' },
      { type: 'messageRemoved', seq: head + 3, id: two!.id, by: customer.id },
    ])
    const fresh = await resumed(customer, id, { after: 0, batch }, head + 3)
    expect(JSON.stringify(fresh.socket.frames)).not.toContain('secret')
    expect(fresh.log[1]).toMatchObject({ content: 'reworded' })
    expect(fresh.log[2]).toMatchObject({ content: '', removedAt: expect.any(String) })
  })

  it('more than a page, and only the newest for a newcomer', async () => {
    const { customer, id } = await world()
    await runInDurableObject(roomOf(id), (_, { storage }) => {
      const store = createRoomStore(storage, newId)
      for (let seq = 2; seq <= 1_001; seq++) {
        const at = new Date().toISOString()
        store.append(
          { type: 'message', seq, id: newId(), from: customer.id, clientId: `c${seq}`, at, content: 'x' },
          seq - 1,
        )
      }
    })
    await evictDurableObject(roomOf(id))
    const { epoch } = await (await connect(customer, id)).next('ready')
    const behind = await connect(customer, id, { after: 1, epoch, batch })
    await behind.until('all', () => (behind.log().length === 1_000 ? true : undefined))
    expect(seqs(behind.log())).toEqual(range(2, 1_001))
    const fresh = await connect(customer, id, { batch })
    await fresh.until('the newest', () => (fresh.log().length === 200 ? true : undefined))
    expect((await fresh.next('ready')).complete).toBe(false)
    expect(seqs(fresh.log())).toEqual(range(802, 1_001))
  })
})

describe('a socket through its room’s sleep', () => {
  it('goes on where it was: messages, marks, batches', async () => {
    const { customer, id } = await world()
    const other = await newUser({ role: 'admin' })
    await addMembers(other, id, other)
    const [ada, shop] = [await connect(customer, id), await connect(other, id, { batch: true })]
    await say(ada, 'one')
    await shop.next('message', ({ content }) => content === 'one')
    for (let n = 0; n < 3; n++) {
      await sleepRoom(id)
      await say(ada, `after sleep ${n}`)
      await shop.next('message', ({ content }) => content === `after sleep ${n}`)
      shop.say({ type: 'read', seq: 3 + n })
      await ada.next('receipt', ({ marks }) =>
        marks.some(({ userId, read }) => userId === other.id && read === 3 + n),
      )
    }
    expect(seqs(shop.log())).toEqual([...new Set(seqs(shop.log()))].toSorted((a, b) => a - b))
    shop.raw('ping')
    await sleep(20)
    expect((await ada.next('ready')).userId).toBe(customer.id)
  })

  it('that was closed stays closed', async () => {
    const { customer, id } = await world()
    const out = await connect(customer, id)
    for (let n = 0; n < 10; n++) out.raw('{')
    expect((await out.closed).code).toBe(4400)
    await evictDurableObject(roomOf(id))
    const again = await connect(customer, id)
    await say(again, 'alone')
    expect(out.single().some(({ type }) => type === 'message')).toBe(false)
  })

  it('remembers bad frames', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id)
    for (let n = 0; n < 9; n++) socket.raw('{}')
    await socket.until('nine errors', () =>
      socket.frames.filter(({ type }) => type === 'error').length === 9 ? true : undefined,
    )
    await evictDurableObject(roomOf(id))
    socket.raw(new ArrayBuffer(8))
    expect((await socket.closed).code).toBe(4400)
  })

  it('of a room whose objects were all thrown away at once comes back', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id)
    const ack = await say(socket, 'kept')
    await evictDurableObject(roomOf(id), { webSockets: 'close' })
    await socket.closed
    const { epoch } = await socket.next('ready')
    const back = await resumed(customer, id, { after: 1, epoch }, ack.seq)
    expect(back.log).toMatchObject([{ type: 'message', content: 'kept', seq: ack.seq }])
  })
})
