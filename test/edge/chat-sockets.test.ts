import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createRoomStore } from '../../src/chat/store.ts'
import { newId } from '../../src/shared/ids.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { origin } from '../support/edge-api.ts'
import { addMembers, ageSockets, connect, openSupport, roomOf, withToken } from '../support/edge-chat.ts'
import { newUser } from '../support/edge-rows.ts'

/** A customer, the shop, and their conversation. */
const world = async () => {
  const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
  const id = await openSupport(customer)
  await addMembers(admin, id, admin)
  return { customer, admin, id }
}

/** A hundred messages of 4,000 characters: more than a socket is sent before it has to answer. */
const fillLog = async (id: string, { id: from }: { id: string }): Promise<void> => {
  const at = new Date().toISOString()
  await runInDurableObject(roomOf(id), (_, { storage }) => {
    const store = createRoomStore(storage, newId)
    for (let seq = 3; seq <= 102; seq++) {
      const message = { seq, id: newId(), from, clientId: `c${seq}`, at, content: 'x'.repeat(4_000) }
      store.append({ type: 'message', ...message }, seq - 2)
    }
  })
  await evictDurableObject(roomOf(id))
}

describe('a message', () => {
  it('is acknowledged, and reaches everyone with the same place in the log', async () => {
    const { customer, admin, id } = await world()
    const [ada, shop] = [await connect(customer, id), await connect(admin, id, { batch: true })]
    const clientId = newId()
    ada.say({ type: 'send', clientId, content: 'When will it arrive?' })
    const ack = await ada.next('ack')
    const heard = await shop.next('message')
    expect(heard).toMatchObject({
      seq: ack.seq,
      id: ack.id,
      clientId,
      from: customer.id,
      content: 'When will it arrive?',
    })
    expect(await ada.next('message')).toEqual(heard)
  })

  it('sent again under its clientId is acknowledged again, and stored once', async () => {
    const { customer, id } = await world()
    const ada = await connect(customer, id)
    const clientId = newId()
    for (let n = 0; n < 3; n++) ada.say({ type: 'send', clientId, content: 'once' })
    await ada.until('three acks', () =>
      ada.single().filter(({ type }) => type === 'ack').length === 3 ? true : undefined,
    )
    await sleep(20)
    expect(ada.log().filter(({ type }) => type === 'message')).toHaveLength(1)
    expect(new Set(ada.single().flatMap((frame) => (frame.type === 'ack' ? [frame.id] : []))).size).toBe(1)
  })
})

describe('marks', () => {
  it('come to the others, never go back, imply delivery and end at the head', async () => {
    const { customer, admin, id } = await world()
    const [ada, shop] = [await connect(customer, id), await connect(admin, id)]
    ada.say({ type: 'send', clientId: newId(), content: 'one' })
    const { seq } = await shop.next('message')
    shop.say({ type: 'read', seq: seq + 100 })
    shop.say({ type: 'read', seq: 1 })
    shop.say({ type: 'delivered', seq: 1 })
    const receipt = await ada.next('receipt', ({ marks }) => marks.some(({ userId }) => userId === admin.id))
    expect(receipt.marks.find(({ userId }) => userId === admin.id)).toEqual({
      userId: admin.id,
      delivered: seq,
      read: seq,
    })
    const again = await connect(admin, id)
    expect((await again.next('ready')).marks.find(({ userId }) => userId === admin.id)).toMatchObject({
      read: seq,
    })
  })

  it('of many are one frame', async () => {
    const { customer, admin, id } = await world()
    const [ada, shop] = [await connect(customer, id), await connect(admin, id)]
    const started = Date.now()
    for (let n = 0; n < 20; n++) ada.say({ type: 'send', clientId: newId(), content: `m${n}` })
    await shop.next('message', ({ content }) => content === 'm19')
    for (let seq = 1; seq <= 22; seq++) shop.say({ type: 'delivered', seq })
    await ada.next('receipt', ({ marks }) =>
      marks.some(({ userId, delivered }) => userId === admin.id && delivered === 22),
    )
    const receipts = ada.frames.filter(({ type }) => type === 'receipt').length
    expect(receipts).toBeLessThanOrEqual(1 + (Date.now() - started) / 250)
  })
})

describe('typing', () => {
  it('comes to the others, and is nowhere kept', async () => {
    const { customer, admin, id } = await world()
    const [ada, shop] = [await connect(customer, id), await connect(admin, id, { batch: true })]
    for (let n = 0; n < 5; n++) ada.say({ type: 'typing' })
    expect((await shop.next('typing')).userId).toBe(customer.id)
    await sleep(30)
    expect(shop.frames.filter(({ type }) => type === 'typing')).toHaveLength(1)
    expect(ada.frames.filter(({ type }) => type === 'typing')).toHaveLength(0)
    const late = await connect(admin, id)
    await sleep(30)
    expect(late.single().some(({ type }) => type === 'typing')).toBe(false)
  })
})

describe('a batch', () => {
  it('holds what came within 4 ms, for those who asked; the others get each for itself', async () => {
    const { customer, admin, id } = await world()
    const [ada, shop, plain] = [
      await connect(customer, id),
      await connect(admin, id, { batch: true }),
      await connect(admin, id),
    ]
    for (let n = 0; n < 50; n++) ada.say({ type: 'send', clientId: newId(), content: `m${n}` })
    await shop.next('message', ({ content }) => content === 'm49')
    await plain.next('message', ({ content }) => content === 'm49')
    expect(shop.frames.some(({ type }) => type === 'batch')).toBe(true)
    expect(plain.frames.some(({ type }) => type === 'batch')).toBe(false)
    expect(shop.log()).toEqual(plain.log())
  })
})

describe('limits', () => {
  it('a message beyond the limit is refused with the wait, and the socket of a flood is closed', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id)
    for (let n = 0; n < 61; n++) socket.say({ type: 'send', clientId: `c${n}`, content: 'x' })
    const refused = await socket.next('error')
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', clientId: 'c60' })
    expect(refused.retryAfter).toBeLessThanOrEqual(60_000)
    const overRest = await exports.default.fetch(`${origin}/api/v1/conversations/${id}/messages`, {
      method: 'POST',
      headers: { ...withToken(customer), 'Content-Type': 'application/json' },
      body: JSON.stringify({ content: 'x' }),
    })
    expect([overRest.status, Number(overRest.headers.get('Retry-After')) > 0]).toEqual([429, true])
    await overRest.body?.cancel()
    // What is there already is no new message.
    socket.say({ type: 'send', clientId: 'c0', content: 'x' })
    await socket.until('a second ack', () =>
      socket.single().filter((frame) => frame.type === 'ack' && frame.clientId === 'c0').length === 2
        ? true
        : undefined,
    )
    for (let n = 0; n < 600; n++) socket.say({ type: 'typing' })
    expect((await socket.closed).code).toBe(4008)
  })

  it('a frame that is too large, binary, unknown or before resume is no frame', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id, false)
    socket.raw(JSON.stringify({ type: 'send', clientId: 'c', content: 'x'.repeat(70_000) }))
    socket.raw(new ArrayBuffer(4))
    socket.raw('{"type":"nonsense"}')
    socket.raw('[')
    socket.say({ type: 'typing' })
    await socket.until('five errors', () => (socket.frames.length === 5 ? true : undefined))
    const codes = socket.frames.map((frame) => (frame.type === 'error' ? frame.code : frame.type))
    expect(codes).toEqual([...Array.from({ length: 4 }, () => 'INVALID_FRAME'), 'NOT_RESUMED'])
  })

  it('a message that is none of the protocol is named in the error', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id)
    for (const content of ['', 'x'.repeat(4_001)])
      socket.say({ type: 'send', clientId: `c${content.length}`, content })
    socket.raw('{"type":"send","clientId":7}')
    await socket.until('three errors', () =>
      socket.single().filter(({ type }) => type === 'error').length === 3 ? true : undefined,
    )
    const named = socket.single().flatMap((frame) => (frame.type === 'error' ? [frame.clientId] : []))
    expect(named).toEqual(['c0', 'c4001', undefined])
  })

  it('a reader that still catches up hears of marks and presence, which are in no log', async () => {
    const { customer, admin, id } = await world()
    await fillLog(id, customer)
    const behind = await connect(customer, id, { batch: true })
    const other = await connect(admin, id)
    other.say({ type: 'send', clientId: 'later', content: 'later' })
    await other.next('ack')
    other.say({ type: 'read', seq: 50 })
    await behind.next('receipt', ({ marks }) =>
      marks.some(({ userId, read }) => userId === admin.id && read >= 50),
    )
    await behind.next('presence', ({ userId, status }) => userId === admin.id && status === 'online')
    expect(JSON.stringify(behind.log())).not.toContain('later')
  })

  it('who has been silent for 90 s is closed, who sends pings is not, and nobody stays for more than a day', async () => {
    const { customer, id } = await world()
    const [silent, lively] = [await connect(customer, id), await connect(customer, id)]
    lively.raw('ping')
    await sleep(50)
    await ageSockets(roomOf(id), 91_000)
    expect(await silent.closed).toEqual({ code: 4009, reason: 'silent' })
    lively.say({ type: 'history', limit: 1 })
    await lively.next('history')
    await ageSockets(roomOf(id), 24 * 3_600_000)
    expect(await lively.closed).toEqual({ code: 1001, reason: 'open a new one' })
  })

  it('a reader that does not answer flow is closed, one that answers is not', async () => {
    const { customer, id } = await world()
    await fillLog(id, customer)
    const [deaf, good] = [
      await connect(customer, id, { batch: true }),
      await connect(customer, id, { batch: true }),
    ]
    good.socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; n: number }
      if (frame.type === 'flow') good.say({ type: 'flow', n: frame.n })
    })
    const pages = (client: typeof deaf) => client.frames.filter(({ type }) => type === 'history').length
    // A page is 0.4 MB: the first asks, and the third after it is too much.
    for (let n = 1; n <= 8; n++) {
      good.say({ type: 'history', limit: 100 })
      await good.until('a page', () => (pages(good) === n ? true : undefined))
    }
    for (let n = 1; n <= 8; n++) deaf.say({ type: 'history', limit: 100 })
    expect((await deaf.closed).code).toBe(4009)
    expect(pages(deaf)).toBeGreaterThanOrEqual(2)
    expect(pages(deaf)).toBeLessThanOrEqual(4)
  })
})
