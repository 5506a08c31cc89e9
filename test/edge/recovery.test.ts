import { exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { takeLines } from '../support/edge-console.ts'
import { limitedApp, newAddress } from '../support/edge-limits.ts'
import { deliveryOf, runMailJob } from '../support/edge-mail.ts'
import { password } from '../support/edge-provided.ts'
import { forgot, mailedToken, mailJobsOf, mailsOf, newPassword, reset } from '../support/edge-recovery.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { login, lives, outcomeOf, tryRefresh } from '../support/edge-sessions.ts'
import { sql } from '../support/edge-sql.ts'

const statusOfLogin = async (email: string, secret: string) =>
  (await api('POST', '/api/auth/login', { body: { email, password: secret } })).status

let ada: TestUser

beforeAll(async () => {
  ada = await newUser()
})

describe('a forgotten password', () => {
  it('brings a mail with a link into our shop whose token is in the fragment', async () => {
    const [mail, ...more] = await mailsOf(await forgot(`  ${ada.email.toUpperCase()} `))
    expect(more).toEqual([])
    expect(mail).toMatchObject({ to: ada.email, subject: 'Set a new password' })
    expect(mail?.text).toMatch(
      /^Set a new password: https:\/\/shop\.selvedge\.test\/reset-password#token=[\w-]{43}$/m,
    )
  })

  it('is answered the same, with the same work, whether the address is known or not', async () => {
    const unknown = `${newId()}@people.example`
    const answers = [await forgot(ada.email), await forgot(unknown)]
    for (const answer of answers) {
      expect([answer.status, answer.text, answer.calls]).toEqual([204, '', 1])
      expect(await mailJobsOf(answer.headers.get('X-Request-Id'))).toHaveLength(1)
    }
    const [known, other] = answers.map(({ headers }) =>
      [...headers.keys()].filter((name) => name !== 'x-request-id').toSorted(),
    )
    expect(known).toEqual(other)
  })

  it('of an unknown address or a deleted account brings no mail', async () => {
    const gone = await newUser()
    await sql('update users set deleted_at = now() where id = $1', [gone.id])
    for (const email of [`${newId()}@people.example`, gone.email]) {
      const answer = await forgot(email)
      expect(await mailsOf(answer)).toEqual([])
      const [job] = await mailJobsOf(answer.headers.get('X-Request-Id'))
      expect(await deliveryOf(job?.id ?? '')).toMatchObject({ status: 'no_recipient', recipient: null })
    }
  })

  it('is mailed to where the configuration says, whatever host the request names', async () => {
    const answer = await forgot(ada.email, {
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example',
      Origin: 'https://evil.example',
    })
    const [mail] = await mailsOf(answer)
    expect(mail?.text).toContain('https://shop.selvedge.test/reset-password#token=')
    expect(JSON.stringify(mail)).not.toContain('evil.example')
  })

  it('is mailed to where the configuration says, whatever host the request came to', async () => {
    const answer = await exports.default.fetch('https://evil.example/api/auth/forgot-password', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: ada.email }),
    })
    expect(answer.status).toBe(204)
    const [mail] = await mailsOf(answer)
    expect(mail?.text).toContain('https://shop.selvedge.test/reset-password#token=')
    expect(JSON.stringify(mail)).not.toContain('evil.example')
  })

  it('leaves no token in the database, in the job or in the log', async () => {
    takeLines()
    const token = await mailedToken(ada.email)
    const kept = await sql(
      `select to_jsonb(jobs)::text as row from jobs union all select to_jsonb(mailed_tokens)::text from mailed_tokens
        union all select to_jsonb(mail_deliveries)::text from mail_deliveries`,
    )
    expect(JSON.stringify(kept)).not.toContain(token)
    expect((await reset(token, 'weak')).status).toBe(422)
    expect(takeLines().join('\n')).not.toContain(token)
  })

  it('brings at most three mails an hour to an address, known or not, from wherever they are asked for', async () => {
    const { request } = limitedApp({})
    const ask = (email: string) =>
      request('/api/auth/forgot-password', {
        method: 'POST',
        body: JSON.stringify({ email }),
        headers: { 'Content-Type': 'application/json', 'CF-Connecting-IP': newAddress() },
      })
    for (const email of [(await newUser()).email, `${newId()}@people.example`]) {
      for (let n = 0; n < 3; n++) expect((await ask(email)).status).toBe(204)
      const refused = await ask(` ${email.toUpperCase()}`)
      expect(refused.status).toBe(429)
      expect(refused.headers.get('RateLimit')).toMatch(/^"forgot";r=0;t=3[56]\d\d$/)
    }
  })

  it.each([{}, { email: 'no address' }, { email: 'a@b.example', more: 1 }])(
    'is not valid as %j',
    async (body) => {
      expect((await api('POST', '/api/auth/forgot-password', { body })).status).toBe(422)
    },
  )
})

describe('a reset', () => {
  it('sets the password, ends every session, tells the owner, and logs nobody in', async () => {
    const bob = await newUser()
    const held = await login(bob.email)
    const answer = await reset(await mailedToken(bob.email))
    expect([answer.status, answer.text, answer.calls]).toEqual([204, '', 3])
    expect(await statusOfLogin(bob.email, password)).toBe(401)
    expect(await statusOfLogin(bob.email, newPassword)).toBe(200)
    expect([await lives(held.access), await lives(bob.token)]).toEqual([false, false])
    expect(await outcomeOf(tryRefresh(held.refresh))).toBe('401 REFRESH_INVALID')
    expect(await mailsOf(answer)).toMatchObject([{ to: bob.email, subject: 'Your password was changed' }])
    expect(
      await sql(`select 1 as n from audit_events where action = 'password.reset' and actor_id = $1`, [
        bob.id,
      ]),
    ).toHaveLength(1)
  })

  it('works once', async () => {
    const bob = await newUser()
    const token = await mailedToken(bob.email)
    expect((await reset(token)).status).toBe(204)
    const { status, code } = await reset(token, password)
    expect([status, code]).toEqual([400, 'LINK_INVALID'])
    expect(await statusOfLogin(bob.email, newPassword)).toBe(200)
  })

  it('makes every other link of the account useless', async () => {
    const bob = await newUser()
    const [older, newer] = [await mailedToken(bob.email), await mailedToken(bob.email)]
    expect((await reset(older)).status).toBe(204)
    expect((await reset(newer, password)).code).toBe('LINK_INVALID')
  })

  it.each([
    ['a changed password', { password: `${password}!` }],
    ['a changed address', { email: `${newId()}@people.example` }],
  ])('does not work after %s', async (_, body) => {
    const [bob, boss] = [await newUser(), await newUser({ role: 'admin' })]
    const token = await mailedToken(bob.email)
    expect((await api('PATCH', `/api/v1/users/${bob.id}`, { token: boss.token, body })).status).toBe(200)
    expect((await reset(token)).code).toBe('LINK_INVALID')
  })

  it('confirms the address: the link was mailed there', async () => {
    const bob = await newUser({ verified: false })
    expect((await reset(await mailedToken(bob.email))).status).toBe(204)
    expect(
      await sql('select verified_at is not null as verified from users where id = $1', [bob.id]),
    ).toEqual([{ verified: true }])
  })

  it('does not work after 30 minutes', async () => {
    const bob = await newUser()
    const token = await mailedToken(bob.email)
    await sql(
      `update mailed_tokens set created_at = created_at - interval '30 minutes', expires_at = expires_at - interval '30 minutes' where user_id = $1`,
      [bob.id],
    )
    expect((await reset(token)).code).toBe('LINK_INVALID')
  })

  it('does not work for a deleted account', async () => {
    const [bob, boss] = [await newUser(), await newUser({ role: 'admin' })]
    const token = await mailedToken(bob.email)
    await api('DELETE', `/api/v1/users/${bob.id}`, { token: boss.token })
    expect((await reset(token)).code).toBe('LINK_INVALID')
  })

  it('takes no other token: changed, of an access, of a refresh', async () => {
    const held = await login(ada.email)
    const token = await mailedToken(ada.email)
    const other = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    for (const wrong of [other, held.access, held.refresh, held.refresh.slice(3), '']) {
      expect((await reset(wrong)).code).toBe('LINK_INVALID')
    }
    expect((await api('GET', '/api/auth/me', { token })).status).toBe(401)
    expect(await outcomeOf(tryRefresh(`rt_${token}`))).toBe('401 REFRESH_INVALID')
  })

  it('keeps the link for a better password when the first is too weak', async () => {
    const bob = await newUser()
    const token = await mailedToken(bob.email)
    expect((await reset(token, 'short')).status).toBe(422)
    expect((await reset(token)).status).toBe(204)
  })
})

describe('a mail of a reset', () => {
  it('says the same however often its job runs', async () => {
    const answer = await forgot(ada.email)
    const first = await mailsOf(answer)
    expect(await mailsOf(answer)).toEqual([])
    const [job] = await mailJobsOf(answer.headers.get('X-Request-Id'))
    if (job === undefined) throw new Error('no job')
    await sql('delete from mail_deliveries where job_id = $1', [job.id])
    expect((await mailsOf(answer))[0]?.text).toBe(first[0]?.text)
  })

  it('for a token that nobody has made finds no recipient', async () => {
    const { id } = await runMailJob({ template: 'passwordReset', tokenId: newId() })
    expect(await deliveryOf(id)).toMatchObject({ status: 'no_recipient' })
  })
})

describe('a change of the password', () => {
  const change = (token: string | undefined, body: object) =>
    api('POST', '/api/auth/change-password', { token, body })

  it('keeps this session, ends the others, and tells the owner', async () => {
    const bob = await newUser()
    const held = await login(bob.email)
    const answer = await change(held.access, { currentPassword: password, password: newPassword })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect([await lives(held.access), await lives(bob.token)]).toEqual([true, false])
    expect(await outcomeOf(tryRefresh(held.refresh))).toBe('200')
    expect(await statusOfLogin(bob.email, newPassword)).toBe(200)
    expect(await mailsOf(answer)).toMatchObject([{ to: bob.email, subject: 'Your password was changed' }])
  })

  it('is refused without the old one, and changes nothing', async () => {
    const { status, details } = await change(ada.token, { currentPassword: 'wrong', password: newPassword })
    expect([status, details]).toEqual([422, [{ field: 'currentPassword', message: 'is wrong' }]])
    expect((await change(ada.token, { password: newPassword })).status).toBe(422)
    expect(await statusOfLogin(ada.email, password)).toBe(200)
  })

  it('needs a token', async () => {
    expect((await change(undefined, { currentPassword: password, password: newPassword })).status).toBe(401)
  })
})
