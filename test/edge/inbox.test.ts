import { env } from 'cloudflare:workers'
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../../src/config.ts'
import { Notification, retention } from '../../src/inbox/protocol.ts'
import { createServices } from '../../src/services.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startOnce } from '../../workers/api.ts'
import { api, origin } from '../support/edge-api.ts'
import {
  addMembers,
  ageSockets,
  connect,
  inboxOf,
  openSupport,
  ticketFor,
  withTicket,
  withToken,
} from '../support/edge-chat.ts'
import { connectInbox, inboxHandshake, openEvents, until } from '../support/edge-inbox.ts'
import { deliveryOf, newOrder, runMailJob } from '../support/edge-mail.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const about = () => ({ kind: 'reportReady', reportId: newId() }) as const

const notify = async (user: TestUser, id = newId()): Promise<string> => {
  await inboxOf(user).notify({ userId: user.id, id, subject: about() })
  return id
}

const List = z.object({
  data: z.array(Notification),
  page: z.object({ nextCursor: z.int().nullable(), hasMore: z.boolean() }),
  unread: z.int(),
  position: z.string(),
})

const listed = async ({ token }: TestUser, query = '') => {
  const { status, body } = await api('GET', `/api/v1/notifications${query}`, { token })
  expect(status).toBe(200)
  return List.parse(body)
}

/** Runs the waiting jobs of that type about this, as the queue would. */
const runJobs = async (type: string, subjectId: string): Promise<number> => {
  const rows = await sql<{ id: string }>('select id from jobs where type = $1 and subject_id = $2', [
    type,
    subjectId,
  ])
  const { log } = startOnce(env)
  const context = { log, meter: newMeter(), origin: { requestId: newId() }, after: () => undefined }
  const { consumer } = createServices(readConfig(env), env)(context)
  await consumer.work(rows.map(({ id }) => ({ id, ack: () => undefined, retry: () => undefined })))
  return rows.length
}

describe('a notification', () => {
  it('of an order that moves comes once over every way, whoever moved it', async () => {
    const { user, orderId } = await newOrder()
    const shop = await newUser({ role: 'admin' })
    const [socket, stream] = [await connectInbox(user), await openEvents(user)]
    await Promise.all([socket.next('ready'), stream.next('ready')])
    const path = `/api/v1/orders/${orderId}/status`
    const moved = await api('POST', path, { token: shop.token, body: { status: 'shipped' } })
    expect(moved.status).toBe(200)
    expect(moved.calls).toBe(1)
    expect(await runJobs('inbox.notify', orderId)).toBe(1)
    const subject = { kind: 'orderStatus', orderId, status: 'shipped' }
    const heard = await socket.next('notification')
    expect(heard).toMatchObject({ seq: 1, subject, readAt: null })
    const streamed = await stream.next('orderStatus')
    expect(streamed.data).toMatchObject({ id: heard.id, subject })
    expect((await listed(user)).data).toMatchObject([{ id: heard.id, subject }])
    // The job again, as after a kill before it was completed.
    await inboxOf(user).notify({ userId: user.id, id: heard.id, subject: heard.subject })
    expect((await listed(user)).data).toHaveLength(1)
    expect((await listed(shop)).data).toEqual([])
    await stream.close()
  })

  it('is read once, by whose it is', async () => {
    const [ada, eve] = [await newUser(), await newUser()]
    const [id, other] = [await notify(ada), await notify(ada)]
    const read = () => api('PUT', `/api/v1/notifications/${id}/read`, { token: ada.token })
    const first = Notification.parse((await read()).data)
    expect(first.readAt).not.toBeNull()
    expect((await read()).data).toEqual(first)
    expect((await listed(ada, '?unread=true')).data.map((one) => one.id)).toEqual([other])
    expect(await listed(ada)).toMatchObject({ unread: 1 })
    const stolen = await api('PUT', `/api/v1/notifications/${id}/read`, { token: eve.token })
    expect(stolen.code).toBe('NOT_FOUND')
    const all = await api('PUT', '/api/v1/notifications/read', { token: ada.token, body: { upTo: 2 } })
    expect(all.status).toBe(204)
    expect(await listed(ada)).toMatchObject({ unread: 0 })
  })

  it('is listed page by page, newest first', async () => {
    const ada = await newUser()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift(await notify(ada))
    const first = await listed(ada, '?limit=2')
    const second = await listed(ada, `?limit=2&before=${first.page.nextCursor}`)
    const third = await listed(ada, `?limit=2&before=${second.page.nextCursor}`)
    expect([...first.data, ...second.data, ...third.data].map(({ id }) => id)).toEqual(ids)
    expect(third.page).toEqual({ nextCursor: null, hasMore: false })
  })

  it('is kept seven days, and a thousand of them', async () => {
    const ada = await newUser()
    await notify(ada)
    await runInDurableObject(inboxOf(ada), (_, { storage }) => {
      storage.sql.exec('update notifications set at = at - ?', (retention.days + 1) * 86_400_000)
    })
    await notify(ada)
    expect((await listed(ada)).data.map(({ seq }) => seq)).toEqual([2])
    await runInDurableObject(inboxOf(ada), (_, { storage }) => {
      const now = Date.now()
      for (let seq = 3; seq < 3 + retention.count; seq++) {
        const subject = JSON.stringify(about())
        storage.sql.exec('insert into notifications values (?, ?, ?, ?, null)', seq, newId(), now, subject)
      }
    })
    await notify(ada)
    const [kept] = await runInDurableObject(inboxOf(ada), (_, { storage }) =>
      storage.sql
        .exec<{ n: number; first: number }>('select count(*) as n, min(seq) as first from notifications')
        .toArray(),
    )
    expect(kept).toEqual({ n: retention.count, first: 4 })
  })
})

describe('a position', () => {
  it('is gone on from: nothing is missed and nothing comes twice, through sleep too', async () => {
    const ada = await newUser()
    await notify(ada)
    const { epoch, head } = await (await connectInbox(ada)).next('ready')
    expect(head).toBe(1)
    const missed = [await notify(ada), await notify(ada)]
    await evictDurableObject(inboxOf(ada))
    const socket = await connectInbox(ada, { after: 1, epoch })
    await until('both', () =>
      socket.frames.filter(({ type }) => type === 'notification').length === 2 ? true : undefined,
    )
    expect(socket.frames.flatMap((one) => (one.type === 'notification' ? [one.id] : []))).toEqual(missed)
    const stream = await openEvents(ada, `${epoch}.2`)
    expect((await stream.next('reportReady')).data).toMatchObject({ id: missed[1], seq: 3 })
    await stream.close()
  })

  it.each([
    ['ahead of the log', (epoch: string) => ({ after: 9, epoch })],
    ['of another epoch', () => ({ after: 1, epoch: newId() })],
    ['without its epoch', () => ({ after: 1 })],
  ])('%s is told to begin anew, never silently', async (_, position) => {
    const ada = await newUser()
    await notify(ada)
    const { epoch } = await (await connectInbox(ada)).next('ready')
    const socket = await connectInbox(ada, position(epoch))
    expect(await socket.next('resync')).toMatchObject({ epoch, head: 1 })
    const later = await notify(ada)
    expect(await socket.next('notification')).toMatchObject({ id: later, seq: 2 })
  })

  it('that is gone is told so', async () => {
    const ada = await newUser()
    await notify(ada)
    const { epoch } = await (await connectInbox(ada)).next('ready')
    await notify(ada)
    await runInDurableObject(inboxOf(ada), (_, { storage }) => {
      storage.sql.exec('update notifications set at = 0')
    })
    await notify(ada)
    const stream = await openEvents(ada, `${epoch}.1`)
    expect(await stream.next('resync')).toMatchObject({ id: `${epoch}.3` })
    await stream.close()
  })
})

describe('who may listen', () => {
  it('is whose inbox it is, until the session ends', async () => {
    const ada = await newUser()
    const [socket, stream] = [await connectInbox(ada), await openEvents(ada)]
    await Promise.all([socket.next('ready'), stream.next('ready')])
    expect((await api('POST', '/api/auth/logout', { token: ada.token })).status).toBe(204)
    expect(await socket.closed).toBe(4001)
    await until('the end of the stream', () => (stream.state.over ? true : undefined))
    expect((await inboxHandshake(withToken(ada))).status).toBe(401)
    expect((await api('GET', '/api/v1/notifications', { token: ada.token })).status).toBe(401)
  })

  it('is refused without a credential, with a ticket for something else, from a foreign page', async () => {
    const [ada, shop] = [await newUser(), await newUser({ role: 'admin' })]
    const id = await openSupport(ada)
    await addMembers(shop, id, shop)
    expect((await inboxHandshake({})).status).toBe(401)
    const foreign = withTicket(await ticketFor(ada, { conversationId: id }))
    expect((await inboxHandshake(foreign)).status).toBe(401)
    const own = withTicket(await ticketFor(ada, { inbox: true }))
    expect((await inboxHandshake({ ...own, Origin: 'https://evil.example' })).status).toBe(403)
    expect((await inboxHandshake({ ...own, Origin: 'null' })).status).toBe(403)
    expect((await inboxHandshake({ ...own, Origin: origin })).status).toBe(101)
    expect((await inboxHandshake({ ...own, Origin: origin })).status).toBe(401)
  })

  it('says what is none of the protocol ten times at most, and has ten sockets', async () => {
    const ada = await newUser()
    const noisy = await connectInbox(ada, false)
    for (let n = 0; n < 10; n++) noisy.say('{"type":"dance"}')
    expect(await noisy.closed).toBe(4400)
    for (let n = 0; n < 10; n++) await connectInbox(ada)
    const eleventh = await inboxHandshake(withToken(ada))
    expect([eleventh.status, eleventh.headers.get('Retry-After')]).toEqual([429, '60'])
  })

  it('is closed after 90 s of silence, or a day', async () => {
    const ada = await newUser()
    const [silent, lively] = [await connectInbox(ada), await connectInbox(ada)]
    lively.say('ping')
    await sleep(50)
    await ageSockets(inboxOf(ada), 91_000)
    expect(await silent.closed).toBe(4009)
    await ageSockets(inboxOf(ada), 24 * 3_600_000)
    expect(await lively.closed).toBe(1001)
  })
})

describe('the digest', () => {
  /** Somebody wrote to Ada, who is not there, ten minutes ago. */
  const unreadFor = async () => {
    const [ada, shop] = [await newUser(), await newUser({ role: 'admin' })]
    const id = await openSupport(ada)
    await addMembers(shop, id, shop)
    const writer = await connect(shop, id)
    writer.say({ type: 'send', clientId: newId(), content: 'Hello' })
    const { seq } = await writer.next('ack')
    const key = `unread/${id}`
    type Entry = { unread: number; version: number; since: number }
    await until('the report', () =>
      runInDurableObject(inboxOf(ada), (_, { storage }) => {
        const entry = storage.kv.get<Entry>(key)
        return entry?.unread === 1 ? entry : undefined
      }),
    )
    const pass = async () => {
      await runInDurableObject(inboxOf(ada), (_, { storage }) => {
        const entry = storage.kv.get<Entry>(key)
        if (entry !== undefined) storage.kv.put(key, { ...entry, since: entry.since - 600_000 })
      })
      await evictDurableObject(inboxOf(ada))
      await runDurableObjectAlarm(inboxOf(ada))
    }
    const jobs = () =>
      sql<{ id: string }>(`select id from jobs where type = 'mail.send' and subject_id = $1`, [ada.id])
    return { ada, id, seq, pass, jobs }
  }

  it('is one mail after ten minutes, however often the alarm comes', async () => {
    const { ada, pass, jobs } = await unreadFor()
    expect(await jobs()).toEqual([])
    await pass()
    await pass()
    const [job, ...more] = await jobs()
    expect(more).toEqual([])
    await runMailJob({ template: 'unreadMessages', userId: ada.id }, { id: job!.id })
    expect(await deliveryOf(job!.id)).toMatchObject({ status: 'sent', recipient: ada.email })
  })

  it('is ordered once, although the inbox dies before it knows that it was', async () => {
    const { ada, pass, jobs } = await unreadFor()
    await pass()
    await runInDurableObject(inboxOf(ada), (_, { storage }) => {
      storage.kv.put('digested', false)
    })
    const [{ id } = { id: '' }] = await jobs()
    await runInDurableObject(inboxOf(ada), (_, { storage }) => storage.kv.put('digestId', id))
    await pass()
    expect(await jobs()).toHaveLength(1)
  })

  it('does not leave when all has been read meanwhile', async () => {
    const { ada, id, seq, pass, jobs } = await unreadFor()
    await pass()
    const path = `/api/v1/conversations/${id}/read`
    expect((await api('PUT', path, { token: ada.token, body: { seq } })).status).toBe(200)
    await until('the mark', async () => {
      const rows = await sql(
        'select from conversation_members where conversation_id = $1 and user_id = $2 and read_count > 0',
        [id, ada.id],
      )
      return rows.length > 0 ? true : undefined
    })
    const [job] = await jobs()
    await runMailJob({ template: 'unreadMessages', userId: ada.id }, { id: job!.id })
    expect(await deliveryOf(job!.id)).toMatchObject({ status: 'refused', problem: 'nothing_unread' })
  })
})
