import { beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { takeLines } from '../support/edge-console.ts'
import { deliveryOf, eventOf, newOrder, runMailJob, tell } from '../support/edge-mail.ts'
import { emptyMailbox, meetTrouble } from '../support/edge-resend.ts'
import { sql } from '../support/edge-sql.ts'

beforeEach(async () => {
  await emptyMailbox()
  await sql('truncate mail_events, mail_suppressions, mail_deliveries')
})

const sent = async () => {
  const { confirmed } = await newOrder()
  const { id } = await runMailJob(confirmed)
  const { provider_id: providerId } = (await deliveryOf(id))!
  return { id, providerId, statusNow: async () => (await deliveryOf(id))?.status }
}

const permanent = { bounce: { type: 'Permanent', subType: 'General', message: 'no such user' } }

const suppressions = async () => await sql('select from mail_suppressions')
const events = async () =>
  await sql<{ id: string; job_id: string | null }>('select id, job_id from mail_events')

describe('an event', () => {
  it('is recorded once under its id, for one call to the database', async () => {
    const { id, providerId, statusNow } = await sent()
    const event = eventOf('email.delivered', providerId)
    const first = await tell(event, { id: 'msg_1' })
    expect([first.status, first.data, first.calls]).toEqual([200, { outcome: 'recorded' }, 1])
    expect(await statusNow()).toBe('delivered')
    const again = await tell(event, { id: 'msg_1', at: new Date(Date.now() - 60_000) })
    expect(again.data).toEqual({ outcome: 'repeated' })
    expect(await events()).toEqual([{ id: 'msg_1', job_id: id }])
  })

  it('that comes again under its id with other news changes nothing', async () => {
    const { providerId, statusNow } = await sent()
    await tell(eventOf('email.delivered', providerId), { id: 'msg_1' })
    await tell(eventOf('email.bounced', providerId, permanent), { id: 'msg_1' })
    expect(await statusNow()).toBe('delivered')
    expect(await suppressions()).toEqual([])
  })

  it('never takes a status back, in whatever order events come', async () => {
    const orders = [
      ['email.sent', 'email.delivery_delayed', 'email.delivered', 'email.bounced'],
      ['email.bounced', 'email.delivered', 'email.delivery_delayed', 'email.sent'],
      ['email.delivered', 'email.bounced', 'email.sent', 'email.delivery_delayed'],
    ]
    for (const types of orders) {
      const { providerId, statusNow } = await sent()
      for (const type of types) {
        const { data } = await tell(eventOf(type, providerId, type === 'email.bounced' ? permanent : {}))
        expect(data).toEqual({ outcome: 'recorded' })
      }
      expect(await statusNow()).toBe('bounced')
    }
    expect(await events()).toHaveLength(12)
  })

  it('that comes before the answer to the sending finds its mail by the job, and stands', async () => {
    const { confirmed } = await newOrder()
    const id = newId()
    await meetTrouble({ status: 500, name: 'internal_server_error' })
    await expect(runMailJob(confirmed, { id })).rejects.toThrow()
    const event = eventOf('email.delivered', newId(), { tags: { job_id: id, template: 'orderConfirmed' } })
    expect((await tell(event)).data).toEqual({ outcome: 'recorded' })
    expect(await deliveryOf(id)).toMatchObject({ status: 'delivered', provider_id: event.data.email_id })
    await runMailJob(confirmed, { id })
    expect(await deliveryOf(id)).toMatchObject({ status: 'delivered' })
  })

  it('of a mailbox that is only full suppresses nobody', async () => {
    const { providerId, statusNow } = await sent()
    await tell(
      eventOf('email.bounced', providerId, {
        bounce: { type: 'Transient', subType: 'MailboxFull', message: '' },
      }),
    )
    expect(await statusNow()).toBe('bounced')
    expect(await suppressions()).toEqual([])
  })

  it('that two tell at once counts once', async () => {
    const { providerId } = await sent()
    const told = await Promise.all(
      [1, 2, 3, 4].map(async () => await tell(eventOf('email.complained', providerId), { id: 'msg_1' })),
    )
    expect(told.map(({ data }) => data)).toContainEqual({ outcome: 'recorded' })
    expect(told.filter(({ data }) => JSON.stringify(data) === '{"outcome":"repeated"}')).toHaveLength(3)
    expect(await suppressions()).toHaveLength(1)
  })

  it('of a mail that is none of ours is taken and logged, and suppresses nobody', async () => {
    takeLines()
    const emailId = newId()
    const { status, data } = await tell(eventOf('email.bounced', emailId, { ...permanent, tags: [] }))
    expect([status, data]).toEqual([200, { outcome: 'unknown' }])
    expect(await events()).toMatchObject([{ job_id: null }])
    expect(await suppressions()).toEqual([])
    expect(takeLines().find((line) => line.includes('that we do not know'))).toContain(emailId)
  })

  it.each(['email.opened', 'email.clicked', 'domain.updated', 'something.new'])(
    '%s is ignored',
    async (type) => {
      const { status, data } = await tell({ type, created_at: 'x', data: {} })
      expect([status, data]).toEqual([200, { outcome: 'ignored' }])
      expect(await events()).toEqual([])
    },
  )

  it('that we listen to and cannot read is a 422, so that the provider keeps it', async () => {
    const { code, details } = await tell(eventOf('email.delivered', null))
    expect(code).toBe('VALIDATION_FAILED')
    expect(details).toMatchObject([{ field: 'data.email_id' }])
  })

  it('tells 503 when the database is away, so that it comes again', async () => {
    const away = { DATABASE_FETCH_ENDPOINT: 'http://127.0.0.1:9/sql', DATABASE_TIMEOUT_MS: '1000' }
    const { providerId } = await sent()
    const { request } = appWith({
      env: away,
      services: (real) => ({ mail: { ...real.mail, verify: () => 'msg_1' } }),
    })
    const response = await request('/api/webhooks/resend', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(eventOf('email.delivered', providerId)),
    })
    expect(response.status).toBe(503)
  })
})

describe('a message that is not the provider’s', () => {
  const refused = async (
    told: Parameters<typeof tell>[1],
    message: unknown = eventOf('email.delivered', 'x'),
  ) => {
    const { status, code } = await tell(message, told)
    expect([status, code]).toEqual([400, 'WEBHOOK_REFUSED'])
    expect(await events()).toEqual([])
  }

  it('is refused when it is signed with another secret', async () => {
    await refused({ secret: `whsec_${'A'.repeat(32)}` })
  })

  it('is refused when its bytes were changed, if only by a blank', async () => {
    const { providerId, statusNow } = await sent()
    const text = JSON.stringify(eventOf('email.bounced', providerId, permanent))
    const at = String(Math.floor(Date.now() / 1_000))
    const good = await tell(text, { id: 'msg_1' })
    expect(good.status).toBe(200)
    for (const [raw, id] of [
      [`${text} `, 'msg_2'],
      [text.replace('Permanent', 'Transient'), 'msg_3'],
    ] as const) {
      const { code } = await api('POST', '/api/webhooks/resend', {
        raw,
        headers: {
          'Content-Type': 'application/json',
          'svix-id': id,
          'svix-timestamp': at,
          'svix-signature': 'v1,AAAA',
        },
      })
      expect(code).toBe('WEBHOOK_REFUSED')
    }
    expect(await statusNow()).toBe('bounced')
  })

  it('is refused when it is more than five minutes old or early', async () => {
    await refused({ at: new Date(Date.now() - 310_000) })
    await refused({ at: new Date(Date.now() + 310_000) })
  })

  it('is refused without each of its headers', async () => {
    for (const name of ['svix-id', 'svix-timestamp', 'svix-signature'])
      await refused({ headers: { [name]: '' } })
    expect((await api('POST', '/api/webhooks/resend', { body: { type: 'email.sent' } })).code).toBe(
      'WEBHOOK_REFUSED',
    )
  })

  it('is refused whatever it is signed with while mail is off', async () => {
    const { request } = appWith({ env: { MAIL: 'off' } })
    const response = await request('/api/webhooks/resend', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'svix-id': 'msg_1',
        'svix-timestamp': '1',
        'svix-signature': 'v1,x',
      },
      body: '{"type":"email.sent"}',
    })
    expect(response.status).toBe(400)
  })
})
