import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startResend } from '../../test/support/resend.ts'
import { createMailer } from './mailer.ts'

let resend: Awaited<ReturnType<typeof startResend>>
beforeAll(async () => {
  resend = await startResend()
})
afterEach(() => resend.reset())
afterAll(async () => await resend.close())

const mail = {
  to: 'ada@people.example',
  subject: 'Hello',
  html: '<p>Hello</p>',
  text: 'Hello\n',
  headers: { 'X-Request-Id': 'request-1' },
  tags: { job_id: 'job-1' },
}

const never = new AbortController().signal

const send = (change: Partial<typeof mail> = {}, signal = never, timeoutMs = 5_000) =>
  createMailer({
    apiKey: 're_key',
    baseUrl: resend.url,
    from: 'Selvedge <mail@selvedge.test>',
    timeoutMs,
  }).send({ ...mail, ...change }, 'key-1', signal)

describe('a mail', () => {
  it('reaches the provider whole, with its key and its credential', async () => {
    const verdict = await send()
    const [sent] = resend.mails()
    expect(verdict).toEqual({ taken: true, providerId: sent?.id })
    expect(sent).toMatchObject({ key: 'key-1', authorization: 'Bearer re_key' })
    expect(sent?.body).toEqual({
      ...mail,
      from: 'Selvedge <mail@selvedge.test>',
      tags: [{ name: 'job_id', value: 'job-1' }],
    })
  })

  it('leaves once however often it is sent, also when the answer was lost', async () => {
    resend.meet({ lostAnswer: true })
    await expect(send()).rejects.toThrow('application_error')
    const verdicts = [await send(), await send()]
    expect(resend.mails()).toHaveLength(1)
    for (const verdict of verdicts)
      expect(verdict).toEqual({ taken: true, providerId: resend.mails()[0]?.id })
  })

  it('that was taken before with another content counts as taken', async () => {
    resend.meet({ lostAnswer: true })
    await expect(send()).rejects.toThrow()
    expect(await send({ subject: 'Hello again' })).toEqual({ taken: true, providerId: undefined })
    expect(resend.mails()).toHaveLength(1)
  })
})

it.each([
  [400, 'invalid_parameter'],
  [422, 'validation_error'],
  [422, 'invalid_from_address'],
])('%i %s is the provider’s last word', async (status, name) => {
  resend.meet({ status, name, message: 'no' })
  expect(await send()).toEqual({ taken: false, problem: name, explanation: 'no' })
})

it.each([
  [401, 'missing_api_key'],
  [403, 'invalid_api_key'],
  [409, 'concurrent_idempotent_requests'],
  [429, 'rate_limit_exceeded'],
  [429, 'daily_quota_exceeded'],
  [500, 'internal_server_error'],
  [503, 'application_error'],
])('%i %s may be tried again', async (status, name) => {
  resend.meet({ status, name })
  await expect(send()).rejects.toThrow(`${name} (${status})`)
})

it('a broken connection, an answer that is none and a foreign one may be tried again', async () => {
  for (const trouble of [{ drop: true }, { garbage: '<html>' }, { garbage: '{"id":7}' }, { garbage: '{}' }]) {
    resend.meet(trouble)
    await expect(send()).rejects.toThrow()
  }
  expect((await send()).taken).toBe(true)
})

it('a provider that does not answer is given up, and so is one whose job has lost its lease', async () => {
  resend.meet({ delay: 60_000 }, { delay: 60_000 })
  await expect(send({}, never, 50)).rejects.toThrow('application_error')
  const lost = new AbortController()
  const sending = send({}, lost.signal, 60_000)
  lost.abort()
  await expect(sending).rejects.toThrow('application_error')
})
