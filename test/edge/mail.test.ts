import { beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { PermanentError } from '../../src/shared/permanent-error.ts'
import { api } from '../support/edge-api.ts'
import { takeLines } from '../support/edge-console.ts'
import { deliveryOf, eventOf, newOrder, runMailJob, tell, traceparent } from '../support/edge-mail.ts'
import { emptyMailbox, meetTrouble, sentMails } from '../support/edge-resend.ts'
import { newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

beforeEach(async () => {
  await emptyMailbox()
  await sql('truncate mail_events, mail_suppressions, mail_deliveries')
})

const deleteAccount = async (id: string) => {
  const { token } = await newUser({ role: 'admin' })
  expect((await api('DELETE', `/api/v1/users/${id}`, { token })).status).toBe(204)
}

describe('the mail of an order', () => {
  it('goes to the current address of its owner, with the ids of the request, for two calls to the database', async () => {
    const { orderId, user, confirmed } = await newOrder({ name: 'Ada <Byron>' })
    await sql('update users set email = $2 where id = $1', [user.id, 'new@people.example'])
    const { id, requestId, calls } = await runMailJob(confirmed)
    const { mails } = await sentMails()
    expect(mails).toHaveLength(1)
    const [{ key, body, id: providerId }] = mails as [(typeof mails)[0]]
    expect(key).toBe(id)
    expect(body).toMatchObject({
      from: 'Selvedge <mail@selvedge.test>',
      to: 'new@people.example',
      headers: { 'X-Request-Id': requestId, traceparent, 'Auto-Submitted': 'auto-generated' },
      tags: [
        { name: 'job_id', value: id },
        { name: 'template', value: 'orderConfirmed' },
      ],
    })
    expect(body.html).toContain('Dear Ada &lt;Byron&gt;')
    expect(body.text).toContain('2 × Linen tablecloth, 79.90 each: 159.80')
    expect(body.text).toContain(`https://shop.selvedge.test/orders/${orderId}`)
    expect(await deliveryOf(id)).toEqual({
      template: 'orderConfirmed',
      user_id: user.id,
      recipient: 'new@people.example',
      status: 'sent',
      provider_id: providerId,
      problem: null,
      request_id: requestId,
    })
    expect(calls).toBe(2)
  })

  it.each([
    ['orderShipped', 'on its way'],
    ['orderCancelled', 'is cancelled'],
  ] as const)('%s says so', async (template, words) => {
    const { orderId } = await newOrder()
    await runMailJob({ template, orderId })
    expect((await sentMails()).mails[0]?.body.subject).toContain(words)
  })

  it('leaves once however often its job runs, one after the other and at once', async () => {
    const { confirmed } = await newOrder()
    const { id } = await runMailJob(confirmed)
    const before = await deliveryOf(id)
    await runMailJob(confirmed, { id })
    expect((await sentMails()).requests).toBe(1)
    expect(await deliveryOf(id)).toEqual(before)
    const doubled = newId()
    const requestId = newId()
    await Promise.all([1, 2, 3].map(async () => await runMailJob(confirmed, { id: doubled, requestId })))
    expect((await sentMails()).mails.map(({ key }) => key)).toEqual([id, doubled])
  })
})

describe('a provider in trouble', () => {
  it('makes the job fail for another try, which sends what was not sent', async () => {
    const { confirmed } = await newOrder()
    const id = newId()
    await meetTrouble(
      { status: 503, name: 'application_error' },
      { drop: true },
      { status: 429, name: 'rate_limit_exceeded' },
    )
    for (let failure = 0; failure < 3; failure++) {
      await expect(runMailJob(confirmed, { id })).rejects.not.toBeInstanceOf(PermanentError)
      expect(await deliveryOf(id)).toMatchObject({ status: 'sending', provider_id: null })
    }
    await runMailJob(confirmed, { id })
    expect((await sentMails()).mails).toHaveLength(1)
    expect(await deliveryOf(id)).toMatchObject({ status: 'sent' })
  })

  it('that took the mail and lost the answer gets it no second time, also when the content changed meanwhile', async () => {
    const { confirmed, user } = await newOrder()
    const [id, changed, requestId] = [newId(), newId(), newId()]
    await meetTrouble({ lostAnswer: true })
    await expect(runMailJob(confirmed, { id, requestId })).rejects.toThrow()
    await runMailJob(confirmed, { id, requestId })
    const { mails } = await sentMails()
    expect(mails).toMatchObject([{ key: id, asked: 2 }])
    expect(await deliveryOf(id)).toMatchObject({ status: 'sent', provider_id: mails[0]?.id })

    await meetTrouble({ lostAnswer: true })
    await expect(runMailJob(confirmed, { id: changed })).rejects.toThrow()
    await sql(`update users set name = 'Ada Lovelace' where id = $1`, [user.id])
    await runMailJob(confirmed, { id: changed })
    expect((await sentMails()).mails).toHaveLength(2)
    expect(await deliveryOf(changed)).toMatchObject({ status: 'sent', provider_id: null })
  })

  it('that refuses the mail for good fails the job for good, without telling the address', async () => {
    const { confirmed, user } = await newOrder()
    const id = newId()
    const message = `Invalid \`to\`: ${user.email}`
    await meetTrouble({ status: 422, name: 'validation_error', message })
    const error: unknown = await runMailJob(confirmed, { id }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PermanentError)
    expect(String(error)).toContain('validation_error: Invalid `to`: (recipient)')
    expect(await deliveryOf(id)).toMatchObject({
      status: 'refused',
      problem: 'validation_error',
      provider_id: null,
    })
    // Mended and retried by a person.
    await runMailJob(confirmed, { id })
    expect(await deliveryOf(id)).toMatchObject({ status: 'sent', problem: null })
  })

  it('is given up when the job has lost its lease', async () => {
    const { confirmed } = await newOrder()
    await expect(runMailJob(confirmed, { signal: AbortSignal.abort() })).rejects.toThrow()
    expect((await sentMails()).mails).toEqual([])
  })
})

describe('no mail goes', () => {
  it('to a deleted account, and that is no error', async () => {
    const { confirmed, user } = await newOrder()
    await deleteAccount(user.id)
    const { id } = await runMailJob(confirmed)
    expect(await deliveryOf(id)).toMatchObject({ status: 'no_recipient', recipient: null, user_id: null })
    expect((await sentMails()).requests).toBe(0)
  })

  it('to an address that bounced for good or complained, in any letter case', async () => {
    for (const [type, data] of [
      ['email.bounced', { bounce: { type: 'Permanent', subType: 'General', message: 'no such user' } }],
      ['email.complained', {}],
    ] as const) {
      const { confirmed, user } = await newOrder()
      const first = await runMailJob(confirmed)
      const { provider_id: providerId } = (await deliveryOf(first.id))!
      expect((await tell(eventOf(type, providerId, data))).data).toEqual({ outcome: 'recorded' })
      const second = await runMailJob({ ...confirmed, template: 'orderShipped' })
      expect(await deliveryOf(second.id)).toMatchObject({ status: 'suppressed', recipient: user.email })
    }
    expect((await sentMails()).mails).toHaveLength(2)
  })

  it('while mail is off: the deliveries say so, and go out when it is on again', async () => {
    const { confirmed } = await newOrder()
    const { id, calls } = await runMailJob(confirmed, { env: { MAIL: 'off' } })
    expect(calls).toBe(1)
    expect(await deliveryOf(id)).toMatchObject({ status: 'off' })
    expect((await sentMails()).requests).toBe(0)
    await runMailJob(confirmed, { id })
    expect(await deliveryOf(id)).toMatchObject({ status: 'sent' })
  })

  it('about an order that does not exist', async () => {
    const { id } = await runMailJob({ template: 'orderConfirmed', orderId: newId() })
    expect(await deliveryOf(id)).toMatchObject({ status: 'no_recipient' })
  })
})

describe('mail to administrators and operators', () => {
  it('tells the administrator who asked that the report is there', async () => {
    const { id: userId, email } = await newUser({ role: 'admin', name: 'Grace Hopper' })
    const reportId = newId()
    await sql(
      `insert into reports (id, first_day, last_day, current, job_id) values ($1, '2026-11-01', '2026-11-19', false, $1)`,
      [reportId],
    )
    const { id } = await runMailJob({ template: 'reportReady', reportId, userId })
    expect(await deliveryOf(id)).toMatchObject({ status: 'sent', recipient: email, user_id: userId })
    const { body } = (await sentMails()).mails[0]!
    expect(body.subject).toBe('The report of 1 November 2026 to 19 November 2026 is ready')
    expect(body.text).toContain(`https://shop.selvedge.test/admin/reports/${reportId}`)
  })

  it('fails for good when the report is gone', async () => {
    const { id: userId } = await newUser({ role: 'admin' })
    const job = runMailJob({ template: 'reportReady', reportId: newId(), userId })
    await expect(job).rejects.toBeInstanceOf(PermanentError)
  })

  it('tells the operators of a job that was given up, and nobody where nobody is named', async () => {
    const jobId = newId()
    await sql(
      `insert into jobs (id, type, payload, relay_at, failures, last_error, request_id, created_at)
        values ($1, 'report.build', '{}', now(), 3, 'away <for good>', 'request-1', '2026-11-20T12:00:00Z')`,
      [jobId],
    )
    const { id } = await runMailJob({ template: 'operatorAlert', jobId })
    expect(await deliveryOf(id)).toMatchObject({
      status: 'sent',
      recipient: 'ops@selvedge.test',
      user_id: null,
    })
    const { body } = (await sentMails()).mails[0]!
    expect(body.text).toContain(`Job: ${jobId}\nType: report.build\nFailures: 3\nLast error: away <for good>`)
    expect(body.text).toContain('Caused by request: request-1\nSince: 2026-11-20T12:00:00.000Z')
    const nobody = await runMailJob({ template: 'operatorAlert', jobId }, { env: { OPS_EMAIL: '' } })
    expect(await deliveryOf(nobody.id)).toMatchObject({ status: 'no_recipient' })
  })
})

describe('what is kept', () => {
  it('loses the address when the account is deleted', async () => {
    const { confirmed, user } = await newOrder()
    const { id } = await runMailJob(confirmed)
    await deleteAccount(user.id)
    expect(await deliveryOf(id)).toMatchObject({ status: 'sent', recipient: null })
  })

  it('of a suppressed address is its hash', async () => {
    const { confirmed, user } = await newOrder()
    const { id } = await runMailJob(confirmed)
    await tell(eventOf('email.complained', (await deliveryOf(id))!.provider_id))
    const rows = await sql<{ hash: string }>(
      `select encode(address_hash, 'hex') as hash from mail_suppressions`,
    )
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(user.email))
    expect(rows).toEqual([{ hash: Buffer.from(digest).toString('hex') }])
  })

  it('never shows an address in a log line', async () => {
    const { confirmed, user } = await newOrder()
    takeLines()
    const { id, requestId } = await runMailJob(confirmed)
    const lines = takeLines()
    expect(lines.find((line) => line.includes('mail sent'))).toContain(id)
    expect(lines.join()).not.toContain(user.email)
    expect(requestId).toBeDefined()
  })
})
