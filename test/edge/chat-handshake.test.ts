import { env } from 'cloudflare:workers'
import { evictDurableObject, listDurableObjectIds, reset, runInDurableObject } from 'cloudflare:test'
import { parse } from 'uuid'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Inbox } from '../../src/inbox/inbox.do.ts'
import type { Ticket } from '../../src/inbox/inbox.ts'
import { newId } from '../../src/shared/ids.ts'
import { sleep } from '../../src/shared/backoff.ts'
import { startOnce } from '../../workers/api.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { api, origin } from '../support/edge-api.ts'
import { addMembers, connect, handshake, inboxOf, openSupport, roomOf, ticketFor, withTicket, withToken } from '../support/edge-chat.ts' // prettier-ignore
import { login } from '../support/edge-sessions.ts'
import { newCategory, newProducts, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const Failed = z.object({ error: z.object({ code: z.string() }) })

/** Status and code of an upgrade; one that succeeds is hung up. */
const outcomeOf = async (response: Promise<Response>): Promise<string> => {
  const { status, webSocket, ...rest } = await response.then(async (one) => ({
    status: one.status,
    webSocket: one.webSocket,
    body: one.webSocket === null ? await one.json() : undefined,
  }))
  if (webSocket !== null) {
    webSocket?.accept()
    webSocket?.close()
    return String(status)
  }
  return `${status} ${Failed.parse(rest.body).error.code}`
}

const world = async () => {
  const customer = await newUser()
  return { customer, id: await openSupport(customer) }
}

const services = () => {
  const { log, servicesOf } = startOnce(env)
  return servicesOf({ log, meter: newMeter(), origin: { requestId: newId() }, after: () => undefined })
}

describe('the origin of an upgrade', () => {
  it('is ours, one of CORS_ORIGINS, or not told', async () => {
    const { customer, id } = await world()
    const from = async (origin?: string) =>
      await outcomeOf(
        handshake(id, { ...withToken(customer), ...(origin !== undefined && { Origin: origin }) }),
      )
    expect(await from()).toBe('101')
    expect(await from(origin)).toBe('101')
    expect(await from('https://shop.example')).toBe('101')
    for (const foreign of [
      'null',
      'https://evil.example',
      'https://shop.example.evil.example',
      'https://evil-shop.example',
      'https://shop.example:8443',
      'http://shop.example',
      'https://shop.example/',
      `${origin}.evil.example`,
    ]) {
      expect([foreign, await from(foreign)]).toEqual([foreign, '403 ORIGIN_REFUSED'])
    }
  })

  it('is looked at before the ticket, which stays good', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    const refused = handshake(id, { ...withTicket(ticket), Origin: 'https://evil.example' })
    expect(await outcomeOf(refused)).toBe('403 ORIGIN_REFUSED')
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('101')
  })
})

describe('a ticket', () => {
  it('is shown with the subprotocol, which is picked', async () => {
    const { customer, id } = await world()
    const response = await handshake(id, withTicket(await ticketFor(customer, { conversationId: id })))
    expect(response.headers.get('Sec-WebSocket-Protocol')).toBe('selvedge.v1')
    await outcomeOf(Promise.resolve(response))
  })

  it('beside no version that is spoken here is refused, and stays good', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    for (const offered of [`ticket.${ticket}`, `selvedge.v2, ticket.${ticket}`]) {
      const refused = await handshake(id, { 'Sec-WebSocket-Protocol': offered })
      expect(refused.headers.get('Sec-WebSocket-Protocol')).toBe('selvedge.v1')
      expect(await outcomeOf(Promise.resolve(refused))).toBe('426 UPGRADE_REQUIRED')
    }
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('101')
  })

  it('opens once', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('101')
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('401 TICKET_INVALID')
  })

  it('shown fifty times at once opens once', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => outcomeOf(handshake(id, withTicket(ticket)))),
    )
    expect(outcomes.filter((one) => one === '101')).toHaveLength(1)
    expect(outcomes.filter((one) => one === '401 TICKET_INVALID')).toHaveLength(49)
  })

  it('opens only what it was asked for, and is spent by the attempt', async () => {
    const { customer, id } = await world()
    const body = { subject: { type: 'product', id: await newProductId() } }
    const other = z
      .object({ id: z.string() })
      .parse((await api('POST', '/api/v1/conversations', { token: customer.token, body })).data).id
    const ticket = await ticketFor(customer, { conversationId: other })
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('401 TICKET_INVALID')
    expect(await outcomeOf(handshake(other, withTicket(ticket)))).toBe('401 TICKET_INVALID')
    const inbox = await ticketFor(customer, { inbox: true })
    expect(await outcomeOf(handshake(id, withTicket(inbox)))).toBe('401 TICKET_INVALID')
  })

  it('is good for thirty seconds', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    const expire = () =>
      runInDurableObject(inboxOf(customer), async (_, { storage }) => {
        const [[name, kept] = ['', undefined]] = [...storage.kv.list<Ticket>({ prefix: 'ticket/' })]
        expect(kept!.expiresAt - Date.now()).toBeLessThanOrEqual(30_000)
        storage.kv.put(name, { ...kept, expiresAt: Date.now() - 1 })
      })
    await expire()
    await evictDurableObject(inboxOf(customer))
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('401 TICKET_INVALID')
  })

  it('lies in the inbox as a hash alone, and survives its sleep', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    const kept = await runInDurableObject<Inbox, string>(inboxOf(customer), (_, { storage }) =>
      JSON.stringify([...storage.kv.list()]),
    )
    expect(kept).not.toContain(ticket.slice(22))
    await evictDurableObject(inboxOf(customer))
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('101')
  })

  it('of nobody, of no shape, or none at all is refused', async () => {
    const { id } = await world()
    for (const ticket of ['', 'x', 'a'.repeat(87), '_'.repeat(87), 'a'.repeat(5_000)]) {
      expect([ticket.length, await outcomeOf(handshake(id, withTicket(ticket)))]).toEqual([
        ticket.length,
        '401 TICKET_INVALID',
      ])
    }
    expect(await outcomeOf(handshake(id, {}))).toBe('401 UNAUTHENTICATED')
    expect(await outcomeOf(handshake(id, { Authorization: 'Bearer nonsense' }))).toBe('401 UNAUTHENTICATED')
  })

  it('that was made up makes no inbox', async () => {
    // A room of an earlier test may make one for its member at any moment.
    await reset()
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    const before = await listDurableObjectIds(env.INBOXES)
    const nobody = Buffer.from(parse(newId())).toString('base64url')
    for (const made of [
      `${nobody}${ticket.slice(22)}`,
      `${nobody}${ticket.slice(22, 65)}${'A'.repeat(22)}`,
    ]) {
      expect(await outcomeOf(handshake(id, withTicket(made)))).toBe('401 TICKET_INVALID')
    }
    expect(await listDurableObjectIds(env.INBOXES)).toHaveLength(before.length)
  })

  it('is not given out for what one is no member of', async () => {
    const { id } = await world()
    const ask = async (user: TestUser, body: object) => {
      const { status, code } = await api('POST', '/api/v1/realtime/tickets', { token: user.token, body })
      return `${status} ${code}`
    }
    expect(await ask(await newUser(), { conversationId: id })).toBe('404 NOT_FOUND')
    expect(await ask(await newUser(), { conversationId: newId() })).toBe('404 NOT_FOUND')
    expect(await ask(await newUser({ role: 'admin' }), { conversationId: id })).toBe('403 FORBIDDEN')
    expect(await ask(await newUser(), {})).toBe('422 VALIDATION_FAILED')
  })

  it('needs a member at the upgrade too', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    expect((await api('POST', `/api/v1/conversations/${id}/leave`, { token: customer.token })).status).toBe(
      204,
    )
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('404 NOT_FOUND')
  })

  it('ends with its session', async () => {
    const { customer, id } = await world()
    const ticket = await ticketFor(customer, { conversationId: id })
    await api('POST', '/api/auth/logout', { token: customer.token })
    expect(await outcomeOf(handshake(id, withTicket(ticket)))).toBe('401 TICKET_INVALID')
  })
})

const newProductId = async (): Promise<string> => {
  const [product] = await newProducts([{ categoryId: (await newCategory()).id }])
  return product!.id
}

describe('an upgrade', () => {
  it('without Upgrade is a 426', async () => {
    const { customer, id } = await world()
    const { status, code } = await api('GET', `/api/v1/conversations/${id}/socket`, { token: customer.token })
    expect([status, code]).toEqual([426, 'UPGRADE_REQUIRED'])
  })

  it('of a sixth socket of the same account is refused', async () => {
    const { customer, id } = await world()
    for (let n = 0; n < 5; n++) await connect(customer, id)
    expect(await outcomeOf(handshake(id, withToken(customer)))).toBe('429 TOO_MANY_SOCKETS')
  })
})

describe('the end of a session', () => {
  it('closes its sockets with 4001 before it is answered, however it ends', async () => {
    const endings: [string, (user: TestUser, held: Awaited<ReturnType<typeof login>>) => Promise<unknown>][] = [
      ['logout', (_, held) => api('POST', '/api/auth/logout', { token: held.access })],
      ['logout-all', (user) => api('POST', '/api/auth/logout-all', { token: user.token })],
      ['by name', (user, held) => api('DELETE', `/api/auth/sessions/${held.sid}`, { token: user.token })],
      ['reuse', async (_, held) => {
        await api('POST', '/api/auth/refresh', { body: { refreshToken: held.refresh } })
        await api('POST', '/api/auth/refresh', { body: { refreshToken: held.refresh } })
      }],
    ] // prettier-ignore
    for (const [name, end] of endings) {
      const { customer, id } = await world()
      const held = await login(customer.email)
      const socket = await connect({ ...customer, token: held.access }, id)
      await end(customer, held)
      expect([name, (await socket.closed).code]).toEqual([name, 4001])
    }
  })

  it('closes them however the conversation’s id was spelled', async () => {
    const { customer, id } = await world()
    const spelled = id.toUpperCase()
    const ticket = await ticketFor(customer, { conversationId: spelled })
    const response = await handshake(spelled, withTicket(ticket))
    expect(response.status).toBe(101)
    const closed = Promise.withResolvers<number>()
    response.webSocket?.accept()
    response.webSocket?.addEventListener('close', ({ code }) => closed.resolve(code))
    await api('POST', '/api/auth/logout', { token: customer.token })
    expect(await closed.promise).toBe(4001)
  })

  it('leaves the sockets of other sessions alone', async () => {
    const { customer, id } = await world()
    const held = await login(customer.email)
    const [kept, lost] = [await connect(customer, id), await connect({ ...customer, token: held.access }, id)]
    await api('POST', '/api/auth/logout', { token: held.access })
    expect((await lost.closed).code).toBe(4001)
    kept.say({ type: 'send', clientId: newId(), content: 'still here' })
    await kept.next('ack')
  })

  it('refuses who was on the way in with it', async () => {
    const { customer, id } = await world()
    await roomOf(id).endSessions({ sessions: [customer.sessionId] })
    expect(await outcomeOf(handshake(id, withToken(customer)))).toBe('401 UNAUTHENTICATED')
  })

  it('is made up for by the job, when the runtime dies between the row and the call', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id)
    await sql('update sessions set revoked_at = now() where id = $1', [customer.sessionId])
    await sleep(50)
    const [job] = await sql<{ payload: { userId: string; sessionId: string } }>(
      `select payload from jobs where type = 'sessions.ended' and subject_id = $1`,
      [customer.id],
    )
    expect(job?.payload).toEqual({ userId: customer.id, sessionId: customer.sessionId })
    const context = {
      id: newId(),
      requestId: 'r',
      traceparent: undefined,
      signal: new AbortController().signal,
    }
    await services().handlers['sessions.ended'](job!.payload, context)
    expect((await socket.closed).code).toBe(4001)
  })
})

describe('a member who is removed', () => {
  it('is closed with 4003 and hears nothing more, also when an older list comes late', async () => {
    const { customer, id } = await world()
    const [admin, guest] = [await newUser({ role: 'admin' }), await newUser()]
    await addMembers(admin, id, admin, guest)
    const [ada, out] = [await connect(customer, id), await connect(guest, id, { batch: true })]
    const [row] = await sql<{ version: number }>(
      'select version from conversation_members where conversation_id = $1 and user_id = $2',
      [id, guest.id],
    )
    const removed = await api('DELETE', `/api/v1/conversations/${id}/members/${guest.id}`, {
      token: admin.token,
    })
    expect(removed.status).toBe(204)
    expect((await out.closed).code).toBe(4003)
    const before = out.frames.length
    await ada.next('member', ({ userId, change }) => userId === guest.id && change === 'left')
    ada.say({ type: 'send', clientId: newId(), content: 'among ourselves' })
    await ada.next('ack')
    await roomOf(id).apply({
      conversation: { id, version: row!.version, closed: false },
      members: [{ userId: guest.id, role: 'customer', version: row!.version, left: false }],
    })
    const post = { clientId: newId(), content: 'let me in' }
    const stale = { userId: guest.id, role: 'customer' as const, version: row!.version, left: false }
    expect(
      await roomOf(id).post({ conversation: { id, version: 1, closed: false }, member: stale, ...post }),
    ).toEqual({ outcome: 'notMember' })
    await sleep(50)
    expect(out.frames).toHaveLength(before)
    expect(await outcomeOf(handshake(id, withToken(guest)))).toBe('404 NOT_FOUND')
  })

  it('is closed by the job, when the runtime dies between the row and the call', async () => {
    const { customer, id } = await world()
    const socket = await connect(customer, id)
    await sql(
      `with changed as (update conversations set version = version + 1 where id = $1 returning version)
       update conversation_members set left_at = now(), version = changed.version from changed where conversation_id = $1`,
      [id],
    )
    const context = {
      id: newId(),
      requestId: 'r',
      traceparent: undefined,
      signal: new AbortController().signal,
    }
    await services().handlers['chat.members']({ conversationId: id }, context)
    expect((await socket.closed).code).toBe(4003)
  })

  it('leaves a job in the transaction that removes them', async () => {
    const { customer, id } = await world()
    await api('POST', `/api/v1/conversations/${id}/leave`, { token: customer.token })
    const jobs = await sql(`select 1 from jobs where type = 'chat.members' and subject_id = $1`, [id])
    expect(jobs.length).toBeGreaterThanOrEqual(2)
  })

  it('may be an administrator who is one no more', async () => {
    const { customer, id } = await world()
    const [admin, other] = [await newUser({ role: 'admin' }), await newUser({ role: 'admin' })]
    await addMembers(other, id, admin)
    const [socket, ada] = [await connect(admin, id), await connect(customer, id)]
    const demoted = await api('PATCH', `/api/v1/users/${admin.id}`, {
      token: other.token,
      body: { role: 'user' },
    })
    expect(demoted.status).toBe(200)
    expect((await socket.closed).code).toBe(4003)
    await ada.next('member', ({ userId, change }) => userId === admin.id && change === 'left')
    expect((await api('GET', `/api/v1/conversations/${id}`, { token: admin.token })).status).toBe(403)
  })
})
