import { beforeAll, describe, expect, it } from 'vitest'
import { api, origin } from '../support/edge-api.ts'
import { password } from '../support/edge-provided.ts'
import { newId } from '../../src/shared/ids.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'
import { lives, login, outcomeOf, tryRefresh } from '../support/edge-sessions.ts'

let ada: TestUser

beforeAll(async () => {
  ada = await newUser()
})

describe('logging out', () => {
  it('ends this session at once, and only this', async () => {
    const [one, other] = [await login(ada.email), await login(ada.email)]
    const { status, calls } = await api('POST', '/api/auth/logout', { token: one.access })
    expect([status, calls]).toEqual([204, 1])
    expect([await lives(one.access), await lives(other.access)]).toEqual([false, true])
    expect((await api('POST', '/api/auth/logout', { token: one.access })).status).toBe(401)
  })

  it('everywhere ends every session of the account, and nobody else’s', async () => {
    const bob = await newUser()
    const [one, other] = [await login(bob.email), await login(bob.email)]
    expect((await api('POST', '/api/auth/logout-all', { token: one.access })).status).toBe(204)
    expect([await lives(one.access), await lives(other.access)]).toEqual([false, false])
    expect(await outcomeOf(tryRefresh(other.refresh))).toBe('401 REFRESH_INVALID')
    expect(await lives(ada.token)).toBe(true)
  })

  it.each(['/api/auth/logout', '/api/auth/logout-all'])('at %s needs a token', async (path) => {
    expect((await api('POST', path)).status).toBe(401)
  })
})

describe('the sessions of an account', () => {
  it('are listed with what is known of each, last used first', async () => {
    const bob = await newUser()
    const phone = await login(bob.email, { device: 'Bob’s phone' })
    const { status, data, pagination, calls } = await api('GET', '/api/auth/sessions', {
      token: phone.access,
    })
    expect([status, calls]).toEqual([200, 1])
    expect(pagination).toEqual({ page: 1, limit: 20, total: 2, pages: 1 })
    expect(data).toMatchObject([
      { id: phone.sid, device: 'Bob’s phone', current: true },
      { id: bob.sessionId, device: null, current: false },
    ])
  })

  it('are listed without those that are over', async () => {
    const bob = await newUser()
    const gone = await login(bob.email)
    await api('POST', '/api/auth/logout', { token: gone.access })
    const { data } = await api('GET', '/api/auth/sessions', { token: bob.token })
    expect(data).toMatchObject([{ id: bob.sessionId }])
  })

  it('of a deleted account keep nothing personal', async () => {
    const [bob, boss] = [await newUser(), await newUser({ role: 'admin' })]
    const { sid } = await login(bob.email, { device: 'Bob’s phone' })
    await api('DELETE', `/api/v1/users/${bob.id}`, { token: boss.token })
    expect(await sql('select device, user_agent from sessions where id = $1', [sid])).toEqual([
      { device: null, user_agent: null },
    ])
  })

  it('can be ended one by one', async () => {
    const other = await login(ada.email)
    const path = `/api/auth/sessions/${other.sid}`
    expect((await api('DELETE', path, { token: ada.token })).status).toBe(204)
    expect([await lives(other.access), await lives(ada.token)]).toEqual([false, true])
    expect((await api('DELETE', path, { token: ada.token })).code).toBe('NOT_FOUND')
  })

  it('of others are as absent as unknown ones', async () => {
    const bob = await newUser()
    for (const id of [bob.sessionId, newId(), 'nonsense']) {
      const { status, code } = await api('DELETE', `/api/auth/sessions/${id}`, { token: ada.token })
      expect([status, code]).toEqual([404, 'NOT_FOUND'])
    }
    expect(await lives(bob.token)).toBe(true)
  })
})

const ownPage = { Origin: origin, 'Sec-Fetch-Site': 'same-origin' }

const cookieLogin = (headers: Record<string, string>) =>
  api('POST', '/api/auth/login', { body: { email: ada.email, password, transport: 'cookie' }, headers })

/** The cookie as a browser would send it back. */
const cookieOf = ({ headers }: { headers: Headers }): string =>
  (headers.get('Set-Cookie') ?? '').split(';')[0] ?? ''

const cookieRefresh = (headers: Record<string, string>) =>
  api('POST', '/api/auth/refresh', { body: { transport: 'cookie' }, headers })

describe('the cookie transport', () => {
  it('keeps the refresh token from every script, and refreshes by the cookie', async () => {
    const first = await cookieLogin(ownPage)
    expect(first.headers.get('Set-Cookie')).toMatch(
      /^__Host-selvedge-refresh=rt_[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    expect(first.text).not.toContain('rt_')
    const second = await cookieRefresh({ ...ownPage, Cookie: cookieOf(first) })
    expect(second.status).toBe(200)
    expect(second.text).not.toContain('rt_')
    expect(cookieOf(second)).not.toBe(cookieOf(first))
  })

  it('is for pages of CORS_ORIGINS on the same site too', async () => {
    const shop = { Origin: 'https://shop.example', 'Sec-Fetch-Site': 'same-site' }
    const { status, headers } = await cookieLogin(shop)
    expect(status).toBe(200)
    expect(headers.get('Access-Control-Allow-Credentials')).toBe('true')
  })

  const foreign: [string, Record<string, string>][] = [
    ['nothing said', {}],
    ['another origin', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }],
    ['another site', { Origin: 'https://shop.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['our origin claimed by another site', { Origin: origin, 'Sec-Fetch-Site': 'cross-site' }],
    [
      'an origin of the same site that is not ours',
      { Origin: 'https://evil.selvedge.test', 'Sec-Fetch-Site': 'same-site' },
    ],
    ['no Sec-Fetch-Site', { Origin: origin }],
    ['no Origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ['the origin null', { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }],
  ]

  it.each(foreign)(
    'refuses a login and every write with the cookie from a page with %s',
    async (_, headers) => {
      expect((await cookieLogin(headers)).code).toBe('ORIGIN_REFUSED')
      const Cookie = cookieOf(await cookieLogin(ownPage))
      const withCookie = { ...headers, Cookie }
      expect((await cookieRefresh(withCookie)).code).toBe('ORIGIN_REFUSED')
      const held = await login(ada.email)
      const logout = await api('POST', '/api/auth/logout', { token: held.access, headers: withCookie })
      expect([logout.status, logout.code]).toEqual([403, 'ORIGIN_REFUSED'])
      expect((await cookieRefresh({ ...ownPage, Cookie })).status).toBe(200)
    },
  )

  it('lets reads through, which the cookie does not authenticate', async () => {
    const Cookie = cookieOf(await cookieLogin(ownPage))
    expect((await api('GET', '/api/auth/me', { headers: { Cookie } })).status).toBe(401)
  })

  it('is cleared by a logout', async () => {
    const held = await login(ada.email)
    const Cookie = cookieOf(await cookieLogin(ownPage))
    const { headers } = await api('POST', '/api/auth/logout', {
      token: held.access,
      headers: { ...ownPage, Cookie },
    })
    expect(headers.get('Set-Cookie')).toMatch(
      /^__Host-selvedge-refresh=; Max-Age=0; Path=\/; HttpOnly; Secure/,
    )
  })

  it('without a cookie has no session', async () => {
    expect((await cookieRefresh(ownPage)).code).toBe('REFRESH_INVALID')
  })
})
