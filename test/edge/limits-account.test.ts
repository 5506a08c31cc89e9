import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createTokens } from '../../src/auth/tokens.ts'
import { readConfig } from '../../src/config.ts'
import { password } from '../support/edge-provided.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'
import { attempt, limitedApp, newAddress } from '../support/edge-limits.ts'

const login = '/api/auth/login'
const points = 2

const { request } = limitedApp({ account: { points, duration: 3_600 } })

const tryLogin = (email: string, options: { password?: string; token?: string } = {}) =>
  request(login, attempt(newAddress(), email, options))

/** Guesses of somebody else, until the account refuses them. */
const brake = async (email: string): Promise<void> => {
  for (let n = 0; n < points; n++) expect((await tryLogin(email)).status).toBe(401)
  expect((await tryLogin(email, { password })).status).toBe(429)
}

let ada: TestUser

beforeAll(async () => {
  ada = await newUser()
})

type Issued = { sid?: string; at?: number }

/** A token of that session, as it was issued then. */
const tokenOf = async ({ id, role, sessionId }: TestUser, { sid = sessionId, at = Date.now() }: Issued) => {
  vi.useFakeTimers({ toFake: ['Date'], now: at })
  try {
    const { issue } = createTokens(readConfig(env).tokens)
    return await issue({ kind: 'user', id, role, sessionId: sid })
  } finally {
    vi.useRealTimers()
  }
}

const daysAgo = (days: number) => Date.now() - days * 86_400_000

describe('the brake of an account', () => {
  it('refuses everybody, from wherever, even with the right password', async () => {
    const { email } = await newUser()
    await brake(email)
    const response = await tryLogin(email)
    expect(response.headers.get('RateLimit')).toMatch(/^"account";r=0;t=3[56]\d\d$/)
  })

  it('is the same for an account that does not exist', async () => {
    await brake(`${ada.id}@nobody.example`)
  })

  it('does not stop its owner, who has a session', async () => {
    const owner = await newUser()
    await brake(owner.email)
    expect((await tryLogin(owner.email, { password, token: owner.token })).status).toBe(200)
    expect((await tryLogin(owner.email.toUpperCase(), { password, token: owner.token })).status).toBe(200)
  })

  it('knows a living session by a token that has expired', async () => {
    const owner = await newUser()
    const token = await tokenOf(owner, { at: daysAgo(29) })
    await brake(owner.email)
    expect((await tryLogin(owner.email, { password, token })).status).toBe(200)
    const headers = { Authorization: `Bearer ${token}`, 'CF-Connecting-IP': newAddress() }
    expect((await request('/api/auth/me', { headers })).status).toBe(401)
  })

  it('counts the guesses with a session too, apart from all others', async () => {
    const owner = await newUser()
    for (let n = 0; n < points; n++)
      expect((await tryLogin(owner.email, { token: owner.token })).status).toBe(401)
    expect((await tryLogin(owner.email, { password, token: owner.token })).status).toBe(429)
    expect((await tryLogin(owner.email, { password })).status).toBe(200)
  })
})

describe('a token that does not open the brake', () => {
  const cases: [string, (owner: TestUser) => Promise<string>][] = [
    ['is of another account', async () => ada.token],
    ['names a session of another account', (owner) => tokenOf(owner, { sid: ada.sessionId })],
    [
      'is of a revoked session',
      async ({ token, sessionId }) => {
        await sql('update sessions set revoked_at = now() where id = $1', [sessionId])
        return token
      },
    ],
    [
      'is of an expired session',
      async ({ token, sessionId }) => {
        await sql(
          "update sessions set created_at = now() - interval '2 days', expires_at = now() - interval '1 day' where id = $1",
          [sessionId],
        )
        return token
      },
    ],
    ['expired before any session that lives began', (owner) => tokenOf(owner, { at: daysAgo(31) })],
    ['is nonsense', async () => 'nonsense'],
    ['has another signature', async ({ token }) => `${token.slice(0, -8)}AAAAAAAA`],
  ]
  it.each(cases)('%s', async (_, tokenFor) => {
    const owner = await newUser()
    const token = await tokenFor(owner)
    await brake(owner.email)
    expect((await tryLogin(owner.email, { password, token })).status).toBe(429)
  })
})
