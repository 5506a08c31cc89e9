import { beforeAll, describe, expect, it, vi } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { User } from '../../src/users/schema.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { takeLines } from '../support/edge-console.ts'
import { limitedApp, newAddress } from '../support/edge-limits.ts'
import { deliveryOf } from '../support/edge-mail.ts'
import { password } from '../support/edge-provided.ts'
import {
  forgot,
  mailedToken,
  mailJobsOf,
  mailsOf,
  newPassword,
  reset,
  tokenIn,
} from '../support/edge-recovery.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { login } from '../support/edge-sessions.ts'
import { sql } from '../support/edge-sql.ts'

const newEmail = () => `${newId()}@people.example`

const register = (email: string, more: object = {}, headers: Record<string, string> = {}) =>
  api('POST', '/api/auth/register', { body: { name: 'Grace Hopper', email, password, ...more }, headers })

const resend = (email: string) => api('POST', '/api/auth/resend-verification', { body: { email } })

const verify = (token: string) => api('POST', '/api/auth/verify-email', { body: { token } })

/** The token that a registration mails. */
const registered = async (email: string): Promise<string> =>
  tokenIn((await mailsOf(await register(email)))[0])

const tryLogin = async (email: string, secret = password) =>
  await api('POST', '/api/auth/login', { body: { email, password: secret } })

const accountOf = async (email: string) =>
  (
    await sql<{ id: string; name: string; role: string; verified: boolean }>(
      'select id, name, role, verified_at is not null as verified from users where email = $1',
      [email],
    )
  )[0]

let ada: TestUser

beforeAll(async () => {
  ada = await newUser()
})

describe('a registration', () => {
  it('makes an account that can log in at once, and mails a link into our shop', async () => {
    const email = newEmail()
    const answer = await register(`  ${email.toUpperCase()} `)
    expect([answer.status, answer.data, answer.calls]).toEqual([202, { email }, 1])
    expect(answer.text).not.toMatch(/hash|scrypt|token/)
    const [mail, ...more] = await mailsOf(answer)
    expect(more).toEqual([])
    expect(mail).toMatchObject({ to: email, subject: 'Confirm your e-mail address' })
    expect(mail?.text).toMatch(
      /^Confirm this address: https:\/\/shop\.selvedge\.test\/verify-email#token=[\w-]{43}$/m,
    )
    expect(await accountOf(email)).toMatchObject({ name: 'Grace Hopper', role: 'user', verified: false })
    const { access } = await login(email)
    expect((await api('GET', '/api/auth/me', { token: access })).data).toMatchObject({
      email,
      verifiedAt: null,
    })
  })

  it('of a taken address is answered the same, with the same work, and changes nothing', async () => {
    const before = await accountOf(ada.email)
    const answers = [await register(newEmail()), await register(ada.email, { password: newPassword })]
    for (const answer of answers) {
      expect([answer.status, answer.calls]).toEqual([202, 1])
      expect(await mailJobsOf(answer.headers.get('X-Request-Id'))).toHaveLength(1)
    }
    const [fresh, taken] = answers.map(({ headers, text }) => [
      [...headers.keys()].toSorted(),
      text.replace(/"email":"[^"]+"/, ''),
    ])
    expect(taken).toEqual(fresh)
    expect(await accountOf(ada.email)).toEqual(before)
    expect((await tryLogin(ada.email, newPassword)).status).toBe(401)
    expect((await tryLogin(ada.email)).status).toBe(200)
  })

  it('of a taken address brings its owner a mail that says how to get in, without any link that opens it', async () => {
    const [mail, ...more] = await mailsOf(await register(ada.email))
    expect(more).toEqual([])
    expect(mail).toMatchObject({ to: ada.email, subject: 'You have an account already' })
    expect(mail?.text).toContain(`Dear ${ada.name}, `)
    expect(mail?.text).toContain('Ask for a new password: https://shop.selvedge.test/forgot-password\n')
    expect(mail?.text).not.toContain('token')
  })

  it('twice at the same moment makes one account and tells the second', async () => {
    const email = newEmail()
    const answers = await Promise.all(Array.from({ length: 5 }, () => register(email)))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202])
    const subjects: (string | undefined)[] = []
    for (const answer of answers) subjects.push(...(await mailsOf(answer)).map(({ subject }) => subject))
    expect(subjects.toSorted()).toEqual([
      'Confirm your e-mail address',
      ...Array.from({ length: 4 }, () => 'You have an account already'),
    ])
    expect(await sql('select 1 as one from users where email = $1', [email])).toHaveLength(1)
  })

  it('may take the address of a deleted account', async () => {
    const [gone, boss] = [await newUser(), await newUser({ role: 'admin' })]
    await api('DELETE', `/api/v1/users/${gone.id}`, { token: boss.token })
    expect(await mailsOf(await register(gone.email))).toMatchObject([
      { subject: 'Confirm your e-mail address' },
    ])
    expect((await accountOf(gone.email))?.id).not.toBe(gone.id)
  })

  it('repeats no name to an address that is not confirmed', async () => {
    const [email, name] = [newEmail(), 'Win a prize at https://evil.example']
    const mails = [
      ...(await mailsOf(await register(email, { name }))),
      ...(await mailsOf(await register(email))),
    ]
    mails.push(...(await mailsOf(await forgot(email))))
    expect(mails).toHaveLength(3)
    expect(JSON.stringify(mails)).not.toContain('evil.example')
    for (const { text } of mails) expect(text).toContain('\nGood day, ')
  })

  it('leaves neither token nor password in the database, in the job or in the log', async () => {
    takeLines()
    const email = newEmail()
    const token = await registered(email)
    await verify(token)
    const kept = await sql(
      `select to_jsonb(jobs)::text as row from jobs union all select to_jsonb(mailed_tokens)::text from mailed_tokens
        union all select to_jsonb(users)::text from users union all select to_jsonb(mail_deliveries)::text from mail_deliveries`,
    )
    for (const secret of [token, password]) {
      expect(JSON.stringify(kept)).not.toContain(secret)
      expect(takeLines().join('\n')).not.toContain(secret)
    }
  })

  it('mails to where the configuration says, whatever host the request names', async () => {
    const headers = {
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example',
      Origin: 'https://evil.example',
    }
    const [mail] = await mailsOf(await register(newEmail(), {}, headers))
    expect(mail?.text).toContain('https://shop.selvedge.test/verify-email#token=')
    expect(JSON.stringify(mail)).not.toContain('evil.example')
  })

  it.each([
    ['password', { password: 'short' }],
    ['password', { password: 'P@ssw0rd1!' }],
    ['name', { name: 'x' }],
    ['email', { email: 'no address' }],
    ['email', { email: 'ada@deleted.invalid' }],
    ['role', { role: 'admin' }],
    ['verifiedAt', { verifiedAt: '2026-01-01T00:00:00.000Z' }],
  ])('refuses what breaks the rule of %s: %j', async (field, broken) => {
    const { status, details } = await register(newEmail(), broken)
    expect(status).toBe(422)
    expect(details).toContainEqual({ field, message: expect.any(String) })
  })

  it('refuses a password that is known from breaches, whoever has the address', async () => {
    const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(password))
    const hex = [...new Uint8Array(digest)]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase()
    const real = globalThis.fetch
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) =>
      (input instanceof Request ? input.url : input.toString()).startsWith('https://ranges.example/')
        ? new Response(`${hex.slice(5)}:7`)
        : await real(input, init),
    )
    try {
      const { request } = appWith({ env: { BREACH_CHECK_URL: 'https://ranges.example/' } })
      for (const email of [newEmail(), ada.email]) {
        const response = await request('/api/auth/register', {
          method: 'POST',
          body: JSON.stringify({ name: 'Ada Byron', email, password }),
          headers: { 'Content-Type': 'application/json' },
        })
        expect(response.status).toBe(422)
      }
    } finally {
      vi.restoreAllMocks()
    }
  })
})

describe('the limits of registrations', () => {
  const post = (
    request: ReturnType<typeof limitedApp>['request'],
    path: string,
    email: string,
    address: string,
  ) =>
    request(`/api/auth/${path}`, {
      method: 'POST',
      body: JSON.stringify(path === 'register' ? { name: 'Ada Byron', email, password } : { email }),
      headers: { 'Content-Type': 'application/json', 'CF-Connecting-IP': address },
    })

  it('let at most three mails an hour go to one address, new or taken, by registrations and resends alike', async () => {
    const { request } = limitedApp({})
    for (const email of [newEmail(), (await newUser()).email]) {
      expect((await post(request, 'register', email, newAddress())).status).toBe(202)
      expect((await post(request, 'resend-verification', email, newAddress())).status).toBe(204)
      expect((await post(request, 'register', email, newAddress())).status).toBe(202)
      for (const path of ['register', 'resend-verification']) {
        const refused = await post(request, path, ` ${email.toUpperCase()}`, newAddress())
        expect(refused.status).toBe(429)
        expect(refused.headers.get('RateLimit')).toMatch(/^"confirm";r=0;t=3[56]\d\d$/)
      }
    }
  })

  it('let a client register ten times an hour', async () => {
    const { request } = limitedApp({ register: { points: 2, duration: 3_600 } })
    const address = newAddress()
    for (let n = 0; n < 2; n++)
      expect((await post(request, 'register', newEmail(), address)).status).toBe(202)
    const refused = await post(request, 'register', newEmail(), address)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('RateLimit')).toMatch(/^"register";r=0;/)
    expect((await post(request, 'register', newEmail(), newAddress())).status).toBe(202)
  })
})

describe('a confirmation', () => {
  it('shows on the account, to itself and to administrators, in one call', async () => {
    const email = newEmail()
    const answer = await verify(await registered(email))
    expect([answer.status, answer.text, answer.calls]).toEqual([204, '', 1])
    const boss = await newUser({ role: 'admin' })
    const { id = '' } = (await accountOf(email)) ?? {}
    const { verifiedAt } = User.parse((await api('GET', `/api/v1/users/${id}`, { token: boss.token })).data)
    expect(verifiedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const { access } = await login(email)
    expect((await api('GET', '/api/auth/me', { token: access })).data).toMatchObject({ verifiedAt })
    expect(await mailsOf(answer)).toEqual([])
    expect(
      await sql(`select 1 as n from audit_events where action = 'email.confirmed' and actor_id = $1`, [id]),
    ).toHaveLength(1)
  })

  it('works once, and makes the other links useless', async () => {
    const email = newEmail()
    const [first, second] = [await registered(email), tokenIn((await mailsOf(await resend(email)))[0])]
    expect((await verify(first)).status).toBe(204)
    for (const token of [first, second]) {
      const { status, code } = await verify(token)
      expect([status, code]).toEqual([400, 'LINK_INVALID'])
    }
  })

  it('works after a resend by the earlier link, too, and after a new password', async () => {
    const email = newEmail()
    const [first] = [await registered(email), await resend(email)]
    const { access } = await login(email)
    const body = { currentPassword: password, password: newPassword }
    expect((await api('POST', '/api/auth/change-password', { token: access, body })).status).toBe(204)
    expect((await verify(first)).status).toBe(204)
  })

  it('does not work after a day, for a deleted account, or for another address than it was mailed to', async () => {
    const boss = await newUser({ role: 'admin' })
    const users = `/api/v1/users`
    const late = newEmail()
    const lateToken = await registered(late)
    await sql(
      `update mailed_tokens set created_at = created_at - interval '1 day', expires_at = expires_at - interval '1 day' where email = $1`,
      [late],
    )
    expect((await verify(lateToken)).code).toBe('LINK_INVALID')

    const gone = newEmail()
    const goneToken = await registered(gone)
    await api('DELETE', `${users}/${(await accountOf(gone))?.id}`, { token: boss.token })
    expect((await verify(goneToken)).code).toBe('LINK_INVALID')

    const moved = newEmail()
    const movedToken = await registered(moved)
    await sql('update users set email = $2 where email = $1', [moved, newEmail()])
    expect((await verify(movedToken)).code).toBe('LINK_INVALID')
  })

  it('takes no other token: changed, of an access, of a reset; and a reset takes none of its', async () => {
    const email = newEmail()
    const token = await registered(email)
    const { access, refresh } = await login(email)
    const other = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    for (const wrong of [other, access, refresh.slice(3), await mailedToken(email), '']) {
      expect((await verify(wrong)).code).toBe('LINK_INVALID')
    }
    expect((await reset(token)).code).toBe('LINK_INVALID')
    expect((await verify(token)).status).toBe(204)
  })
})

describe('another mail', () => {
  it('goes to an account whose address is not confirmed, and to nobody else, with the same answer and work', async () => {
    const waiting = newEmail()
    await register(waiting)
    const answers = [await resend(waiting), await resend(ada.email), await resend(newEmail())]
    for (const answer of answers) {
      expect([answer.status, answer.text, answer.calls]).toEqual([204, '', 1])
      expect(await mailJobsOf(answer.headers.get('X-Request-Id'))).toHaveLength(1)
    }
    const [first, ...others] = answers
    expect(first && (await mailsOf(first))).toMatchObject([{ to: waiting }])
    for (const other of others) {
      expect(await mailsOf(other)).toEqual([])
      const [job] = await mailJobsOf(other.headers.get('X-Request-Id'))
      expect(await deliveryOf(job?.id ?? '')).toMatchObject({ status: 'no_recipient', recipient: null })
    }
  })
})

describe('where confirmation is required', () => {
  const { request } = appWith({ env: { EMAIL_VERIFICATION: 'required' } })
  const post = async (email: string, secret: string) => {
    const response = await request('/api/auth/login', {
      method: 'POST',
      body: JSON.stringify({ email, password: secret }),
      headers: { 'Content-Type': 'application/json' },
    })
    return `${response.status} ${((await response.json()) as { error?: { code: string } }).error?.code ?? ''}`.trim()
  }

  it('nobody logs in before it, and only whoever knows the password learns why', async () => {
    const email = newEmail()
    const token = await registered(email)
    expect(await post(email, password)).toBe('403 EMAIL_NOT_VERIFIED')
    expect(await post(email, 'wrong')).toBe('401 INVALID_CREDENTIALS')
    expect(
      await sql('select 1 as one from sessions join users on users.id = user_id where email = $1', [email]),
    ).toEqual([])
    expect((await verify(token)).status).toBe(204)
    expect(await post(email, password)).toBe('200')
  })

  it('a reset by mail is one, and an administrator’s word', async () => {
    const email = newEmail()
    await register(email)
    expect((await reset(await mailedToken(email))).status).toBe(204)
    expect(await post(email, newPassword)).toBe('200')
    const boss = await newUser({ role: 'admin' })
    const body = { name: 'Grace Hopper', email: newEmail(), password }
    expect((await api('POST', '/api/v1/users', { token: boss.token, body })).status).toBe(201)
    expect(await post(body.email, password)).toBe('200')
  })
})
