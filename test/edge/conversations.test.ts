import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Conversation, ConversationDetail, Message, MessagePage } from '../../src/chat/schema.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { newId } from '../../src/shared/ids.ts'
import { startOnce } from '../../workers/api.ts'
import { api } from '../support/edge-api.ts'
import { addMembers, connect, openSupport, roomOf } from '../support/edge-chat.ts'
import { newCategory, newProducts, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const base = '/api/v1/conversations'

const open = async ({ token }: TestUser, subject: object) =>
  await api('POST', base, { token, body: { subject } })

const newOrder = async ({ token }: TestUser): Promise<string> => {
  const [product] = await newProducts([{ categoryId: (await newCategory()).id }])
  const body = { items: [{ productId: product!.id, quantity: 1 }] }
  return z.object({ id: z.string() }).parse((await api('POST', '/api/v1/orders', { token, body })).data).id
}

const send = async ({ token }: TestUser, id: string, content: string, key?: string) =>
  await api('POST', `${base}/${id}/messages`, {
    token,
    body: { content },
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })

const listed = async ({ token }: TestUser, query = '') =>
  z.array(Conversation).parse((await api('GET', `${base}${query}`, { token })).data)

const detailOf = async ({ token }: TestUser, id: string) =>
  ConversationDetail.parse((await api('GET', `${base}/${id}`, { token })).data)

const historyOf = async ({ token }: TestUser, id: string, query = '') =>
  MessagePage.parse((await api('GET', `${base}/${id}/messages${query}`, { token })).body)

const services = () => {
  const { log, servicesOf } = startOnce(env)
  return servicesOf({ log, meter: newMeter(), origin: { requestId: newId() }, after: () => undefined })
}

describe('opening a conversation', () => {
  it('makes one for a customer and subject, however often and however many at once', async () => {
    const customer = await newUser()
    const subject = { type: 'order', id: await newOrder(customer) }
    const opened = await Promise.all(Array.from({ length: 5 }, () => open(customer, subject)))
    expect(opened.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 201])
    const ids = new Set(opened.map(({ data }) => ConversationDetail.parse(data).id))
    expect(ids.size).toBe(1)
    expect(ConversationDetail.parse(opened[0]!.data)).toMatchObject({
      subject,
      customer: { id: customer.id },
      members: [{ userId: customer.id, role: 'customer' }],
      closed: false,
    })
  })

  it('about an order of somebody else, or nothing that is there, is a 404', async () => {
    const order = await newOrder(await newUser())
    const other = await newUser()
    for (const subject of [
      { type: 'order', id: order },
      { type: 'order', id: newId() },
      { type: 'product', id: newId() },
    ]) {
      expect([subject.type, (await open(other, subject)).code]).toEqual([subject.type, 'NOT_FOUND'])
    }
    expect((await open(other, { type: 'order' })).code).toBe('VALIDATION_FAILED')
    expect((await open(other, { type: 'support', id: order })).code).toBe('VALIDATION_FAILED')
  })

  it('about an order by the shop is one with its customer', async () => {
    const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
    const subject = { type: 'order', id: await newOrder(customer) }
    const shop = ConversationDetail.parse((await open(admin, subject)).data)
    expect(shop.customer.id).toBe(customer.id)
    expect(shop.members.map(({ userId, role }) => [userId, role]).toSorted()).toEqual(
      [
        [customer.id, 'customer'],
        [admin.id, 'shop'],
      ].toSorted(),
    )
    expect(ConversationDetail.parse((await open(customer, subject)).data).id).toBe(shop.id)
  })
})

describe('who may', () => {
  it('a conversation of others is a 404 everywhere, except to administrators, who read it', async () => {
    const [customer, other, admin] = [await newUser(), await newUser(), await newUser({ role: 'admin' })]
    const id = await openSupport(customer)
    await send(customer, id, 'hello')
    const calls: [string, string, unknown?][] = [
      ['GET', ''], ['GET', '/messages'], ['POST', '/messages', { content: 'x' }], ['PUT', '/read', { seq: 1 }],
      ['GET', '/members'], ['POST', '/leave'], ['POST', '/close'],
    ] // prettier-ignore
    for (const [method, path, body] of calls) {
      const { status } = await api(method, `${base}/${id}${path}`, { token: other.token, body })
      expect([method, path, status]).toEqual([method, path, 404])
    }
    const add = { token: customer.token, body: { userId: other.id } }
    expect((await api('POST', `${base}/${id}/members`, add)).status).toBe(403)
    expect((await listed(other)).map((one) => one.id)).not.toContain(id)
    expect((await api('GET', `${base}?scope=all`, { token: other.token })).status).toBe(403)
    expect((await detailOf(admin, id)).unread).toBeNull()
    expect((await historyOf(admin, id)).data).toHaveLength(1)
    expect((await send(admin, id, 'x')).code).toBe('FORBIDDEN')
    await addMembers(admin, id, admin)
    expect((await send(admin, id, 'Good morning')).status).toBe(201)
    expect((await detailOf(admin, id)).members).toHaveLength(2)
  })

  it('who has left is out, and comes back by opening it again', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    await send(customer, id, 'hello')
    expect((await api('POST', `${base}/${id}/leave`, { token: customer.token })).status).toBe(204)
    expect((await api('GET', `${base}/${id}`, { token: customer.token })).status).toBe(404)
    expect(await openSupport(customer)).toBe(id)
    expect((await historyOf(customer, id)).data).toHaveLength(1)
  })

  it('an unknown account is not brought in, and a known one once', async () => {
    const [customer, admin, guest] = [await newUser(), await newUser({ role: 'admin' }), await newUser()]
    const id = await openSupport(customer)
    const unknown = await api('POST', `${base}/${id}/members`, {
      token: admin.token,
      body: { userId: newId() },
    })
    expect(unknown.code).toBe('VALIDATION_FAILED')
    await addMembers(admin, id, guest, guest)
    expect((await detailOf(guest, id)).members).toHaveLength(2)
    const remove = () => api('DELETE', `${base}/${id}/members/${guest.id}`, { token: admin.token })
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 404])
  })

  it('at most 500', async () => {
    const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
    const id = await openSupport(customer)
    await sql(
      `with made as (insert into users (id, name, email, role, password_hash)
        select gen_random_uuid(), 'Guest', gen_random_uuid() || '@people.example', 'user', '' from generate_series(1, 499) returning id)
      insert into conversation_members (conversation_id, user_id, role, version) select $1, id, 'customer', 2 from made`,
      [id],
    )
    const added = await api('POST', `${base}/${id}/members`, {
      token: admin.token,
      body: { userId: admin.id },
    })
    expect(added.code).toBe('CONVERSATION_FULL')
  })
})

describe('a message over REST', () => {
  it('is in the log, and with who is connected', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    const socket = await connect(customer, id)
    const { status, data } = await send(customer, id, 'hello')
    expect(status).toBe(201)
    const { content, seq } = Message.parse(data)
    expect(await socket.next('message')).toMatchObject({ content, seq })
  })

  it('is the same one under its key, whichever way it comes', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    const socket = await connect(customer, id)
    const first = await send(customer, id, 'hello', 'key-1')
    const again = await send(customer, id, 'hello', 'key-1')
    socket.say({ type: 'send', clientId: 'key-1', content: 'hello' })
    expect(again.data).toEqual(first.data)
    expect([first.headers.get('Idempotency-Replayed'), again.headers.get('Idempotency-Replayed')]).toEqual([
      null,
      'true',
    ])
    expect((await socket.next('ack')).id).toBe(Message.parse(first.data).id)
    expect((await historyOf(customer, id)).data).toHaveLength(1)
  })

  it('is refused under the key of another, which would be lost without a word', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    await send(customer, id, 'first', 'key-1')
    const other = await send(customer, id, 'second', 'key-1')
    expect([other.status, other.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
    expect((await historyOf(customer, id)).data.map(({ content }) => content)).toEqual(['first'])
  })

  it('must say something storable', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    for (const content of ['', '  ', 'x'.repeat(4_001), 'a\u0000b', '\uD800']) {
      expect([content.length, (await send(customer, id, content)).code]).toEqual([
        content.length,
        'VALIDATION_FAILED',
      ])
    }
    expect((await send(customer, id, 'x'.repeat(4_000))).status).toBe(201)
    expect((await send(customer, id, 'x', 'schön')).code).toBe('VALIDATION_FAILED')
    const body = { content: 'look', attachments: [newId()] }
    expect((await api('POST', `${base}/${id}/messages`, { token: customer.token, body })).code).toBe(
      'ATTACHMENT_REFUSED',
    )
  })

  it('is paged from the newest back', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    for (let n = 0; n < 5; n++) await send(customer, id, `m${n}`)
    const newest = await historyOf(customer, id, '?limit=2')
    expect(newest.data.map(({ content }) => content)).toEqual(['m3', 'm4'])
    const older = await historyOf(customer, id, `?limit=2&before=${newest.page.nextCursor}`)
    expect(older.data.map(({ content }) => content)).toEqual(['m1', 'm2'])
    const oldest = await historyOf(customer, id, `?limit=2&before=${older.page.nextCursor}`)
    expect([oldest.data.map(({ content }) => content), oldest.page]).toEqual([
      ['m0'],
      { nextCursor: null, hasMore: false },
    ])
  })
})

describe('the list', () => {
  it('tells last message, unread and who waits, when the room has told of itself', async () => {
    const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
    const id = await openSupport(customer)
    await addMembers(admin, id, admin)
    await send(customer, id, 'one')
    const { data } = await send(customer, id, 'two')
    await runDurableObjectAlarm(roomOf(id))
    const [shop] = (await listed(admin)).filter((one) => one.id === id)
    expect(shop).toMatchObject({
      unread: 2,
      waiting: true,
      lastMessage: { content: 'two', from: customer.id },
    })
    expect((await listed(customer))[0]).toMatchObject({ id, unread: 0 })
    const mark = await api('PUT', `${base}/${id}/read`, { token: admin.token, body: { seq: 1_000 } })
    expect(mark.data).toEqual({ delivered: Message.parse(data).seq, read: Message.parse(data).seq })
    expect((await api('PUT', `${base}/${id}/read`, { token: admin.token, body: { seq: 1 } })).data).toEqual(
      mark.data,
    )
    await send(admin, id, 'Good morning')
    await runDurableObjectAlarm(roomOf(id))
    expect((await listed(admin, '?scope=all&status=open')).find((one) => one.id === id)).toMatchObject({
      unread: 0,
      waiting: false,
    })
    expect((await listed(customer))[0]).toMatchObject({ unread: 1, lastMessage: { from: admin.id } })
  })
})

describe('a database that was restored to an earlier moment', () => {
  it('is told again who has read how much, once its versions are above those of the room', async () => {
    const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
    const id = await openSupport(customer)
    await addMembers(admin, id, admin)
    await send(customer, id, 'one')
    await api('PUT', `${base}/${id}/read`, { token: admin.token, body: { seq: 1_000 } })
    await runDurableObjectAlarm(roomOf(id))
    const readOf = async () =>
      (
        await sql<{ read_count: string }>(
          'select read_count from conversation_members where conversation_id = $1 and user_id = $2',
          [id, admin.id],
        )
      ).map((row) => Number(row.read_count))
    expect(await readOf()).toEqual([1])
    await sql(
      'update conversations set version = version + 1000000, head = 0, message_count = 0 where id = $1',
      [id],
    )
    await sql(
      'update conversation_members set version = version + 1000000, read_seq = 0, read_count = 0 where conversation_id = $1',
      [id],
    )
    await api('PUT', `${base}/${id}/read`, { token: admin.token, body: { seq: 1 } })
    await send(customer, id, 'two')
    await runDurableObjectAlarm(roomOf(id))
    expect(await readOf()).toEqual([1])
  })
})

describe('closing', () => {
  it('stops messages until it is opened again, and says so in the log', async () => {
    const customer = await newUser()
    const id = await openSupport(customer)
    const socket = await connect(customer, id)
    for (let n = 0; n < 2; n++)
      expect((await api('POST', `${base}/${id}/close`, { token: customer.token })).status).toBe(200)
    expect((await socket.next('message')).system).toEqual({ kind: 'closed' })
    expect((await send(customer, id, 'x')).code).toBe('CONVERSATION_CLOSED')
    socket.say({ type: 'send', clientId: 'c', content: 'x' })
    expect(await socket.next('error')).toMatchObject({ code: 'CONVERSATION_CLOSED', clientId: 'c' })
    expect(await listed(customer, '?status=closed')).toHaveLength(1)
    expect(await openSupport(customer)).toBe(id)
    await socket.next('message', ({ system }) => system?.kind === 'reopened')
    expect((await send(customer, id, 'x')).status).toBe(201)
  })
})

describe('an order that changes', () => {
  it('says so in its conversation, by the outbox, once and in the order of its history', async () => {
    const [customer, admin] = [await newUser(), await newUser({ role: 'admin' })]
    const order = await newOrder(customer)
    const { id } = ConversationDetail.parse((await open(customer, { type: 'order', id: order })).data)
    for (const status of ['paid', 'shipped']) {
      await api('POST', `/api/v1/orders/${order}/status`, { token: admin.token, body: { status } })
    }
    const jobs = await sql<{ payload: { orderId: string } }>(
      `select payload from jobs where type = 'chat.orderStatus' and subject_id = $1`,
      [order],
    )
    expect(jobs).toHaveLength(2)
    const context = {
      id: newId(),
      requestId: 'r',
      traceparent: undefined,
      signal: new AbortController().signal,
    }
    for (const { payload } of [...jobs, ...jobs])
      await services().handlers['chat.orderStatus'](payload, context)
    expect((await historyOf(customer, id)).data.map(({ system, from }) => [system, from])).toEqual([
      [{ kind: 'orderStatus', orderId: order, status: 'paid' }, null],
      [{ kind: 'orderStatus', orderId: order, status: 'shipped' }, null],
    ])
  })

  it('without a conversation, or cancelled twice, writes no job too many', async () => {
    const customer = await newUser()
    const [quiet, loud] = [await newOrder(customer), await newOrder(customer)]
    await open(customer, { type: 'order', id: loud })
    for (const order of [quiet, loud, loud])
      await api('POST', `/api/v1/orders/${order}/cancel`, { token: customer.token })
    const jobs = await sql<{ subject_id: string }>(
      `select subject_id from jobs where type = 'chat.orderStatus' and subject_id = any($1)`,
      [[quiet, loud]],
    )
    expect(jobs.map((job) => job.subject_id)).toEqual([loud])
  })
})
