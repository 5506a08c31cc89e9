import { beforeAll, describe, expect, it } from 'vitest'
import {
  age,
  alarmsOf,
  lives,
  login,
  outcomeOf,
  refresh,
  tryRefresh,
  type Held,
} from '../support/edge-sessions.ts'
import { api } from '../support/edge-api.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

let ada: TestUser

beforeAll(async () => {
  ada = await newUser()
})

const open = () => login(ada.email)

type Fate = 'lives' | 'over' | 'stolen'

/** The table of docs/guides/sessions.md: what is shown, what it answers, and what becomes of the session. */
const cases: [string, (first: Held) => ReturnType<typeof tryRefresh>, string, Fate][] = [
  ['the live token', (first) => tryRefresh(first.refresh), '200', 'lives'],
  ['the live token under a key', (first) => tryRefresh(first.refresh, first.nonce), '200', 'lives'],
  [
    'its parent without a key',
    async (first) => (await refresh(first.refresh), await tryRefresh(first.refresh)),
    '401 REFRESH_REUSED',
    'stolen',
  ],
  [
    'its parent under another key',
    async (first) => (await refresh(first.refresh, 'one'), await tryRefresh(first.refresh, 'two')),
    '401 REFRESH_REUSED',
    'stolen',
  ],
  [
    'its parent under a key, spent without one',
    async (first) => (await refresh(first.refresh), await tryRefresh(first.refresh, first.nonce)),
    '401 REFRESH_REUSED',
    'stolen',
  ],
  [
    'its parent under the same key, within 60 seconds',
    async (first) => (
      await refresh(first.refresh, first.nonce),
      await tryRefresh(first.refresh, first.nonce)
    ),
    '200',
    'lives',
  ],
  [
    'its parent under the same key, after 60 seconds',
    async (first) => {
      await refresh(first.refresh, first.nonce)
      await age(first.sid, '61 seconds')
      return await tryRefresh(first.refresh, first.nonce)
    },
    '401 REFRESH_REUSED',
    'stolen',
  ],
  [
    'its grandparent under the same key, within 60 seconds',
    async (first) => {
      const second = await refresh(first.refresh, first.nonce)
      await refresh(second.refresh, second.nonce)
      return await tryRefresh(first.refresh, first.nonce)
    },
    '401 REFRESH_REUSED',
    'stolen',
  ],
  [
    'the live token after a logout',
    async (first) => {
      await api('POST', '/api/auth/logout', { token: first.access })
      return await tryRefresh(first.refresh)
    },
    '401 REFRESH_INVALID',
    'over',
  ],
  [
    'a spent token after a logout',
    async (first) => {
      await refresh(first.refresh)
      await api('POST', '/api/auth/logout', { token: first.access })
      return await tryRefresh(first.refresh)
    },
    '401 REFRESH_REUSED',
    'over',
  ],
  [
    'a lost reply asked for again after a logout',
    async (first) => {
      await refresh(first.refresh, first.nonce)
      await api('POST', '/api/auth/logout', { token: first.access })
      return await tryRefresh(first.refresh, first.nonce)
    },
    '401 REFRESH_INVALID',
    'over',
  ],
  [
    'the live token after 30 days',
    async (first) => (await age(first.sid, '30 days'), await tryRefresh(first.refresh)),
    '401 REFRESH_INVALID',
    'over',
  ],
  [
    'a token with a character changed',
    (first) => {
      const end = first.refresh.endsWith('A') ? 'B' : 'A'
      return tryRefresh(`${first.refresh.slice(0, -1)}${end}`)
    },
    '401 REFRESH_INVALID',
    'lives',
  ],
  ['the access token', (first) => tryRefresh(first.access), '401 REFRESH_INVALID', 'lives'],
  ['the nonce', (first) => tryRefresh(first.nonce), '401 REFRESH_INVALID', 'lives'],
  ['an empty text', () => tryRefresh(''), '401 REFRESH_INVALID', 'lives'],
]

describe('a refresh with', () => {
  it.each(cases)('%s', async (_, show, expected, fate) => {
    const [first, other] = [await open(), await open()]
    expect(await outcomeOf(show(first))).toBe(expected)
    expect(await lives(first.access)).toBe(fate === 'lives')
    expect(await alarmsOf(first.sid)).toEqual(
      fate === 'stolen' ? { audits: 1, mails: 1 } : { audits: 0, mails: 0 },
    )
    // Whatever happens to one family, another of the same account lives on.
    expect(await outcomeOf(tryRefresh(other.refresh))).toBe('200')
  })
})

describe('a refresh', () => {
  it('answers as a login does, in one call to the database, and for no cache', async () => {
    const first = await open()
    const { status, data, calls, headers } = await tryRefresh(first.refresh)
    expect([status, calls, headers.get('Cache-Control')]).toEqual([200, 1, 'no-store'])
    expect(data).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^rt_[\w-]{43}$/),
      refreshExpiresIn: 30 * 86_400,
      refreshNonce: expect.stringMatching(/^[\w-]{22}$/),
      user: { id: ada.id, name: ada.name, email: ada.email, role: 'user', verifiedAt: expect.any(String) },
    })
  })

  it('keeps the session and lengthens its life', async () => {
    const first = await open()
    await age(first.sid, '20 days')
    const second = await refresh(first.refresh)
    expect(second.sid).toBe(first.sid)
    const [row] = await sql(
      `select extract(epoch from expires_at - now()) / 86400 as days from sessions where id = $1`,
      [first.sid],
    )
    expect(Number(row?.['days'])).toBeCloseTo(30)
  })

  it('gives the same successor and the same nonce for a lost reply and to a second tab', async () => {
    const first = await open()
    const tabs = await Promise.all([1, 2, 3].map(() => refresh(first.refresh, first.nonce)))
    expect(new Set(tabs.map((held) => held.refresh)).size).toBe(1)
    expect(new Set(tabs.map((held) => held.nonce)).size).toBe(1)
    expect(await outcomeOf(tryRefresh(tabs[0]?.refresh ?? '', tabs[0]?.nonce))).toBe('200')
  })

  it('tells the role that the account has now', async () => {
    const boss = await newUser({ role: 'admin' })
    const first = await login(boss.email)
    await sql(`update users set role = 'user' where id = $1`, [boss.id])
    const { data } = await tryRefresh(first.refresh)
    expect(data).toMatchObject({ user: { role: 'user' } })
  })

  it('is refused for a deleted account', async () => {
    const gone = await newUser()
    const first = await login(gone.email)
    await sql(`update users set deleted_at = now() where id = $1`, [gone.id])
    expect(await outcomeOf(tryRefresh(first.refresh))).toBe('401 REFRESH_INVALID')
  })

  it('alarms once, however often a stolen token comes back', async () => {
    const first = await open()
    await refresh(first.refresh)
    for (let n = 0; n < 3; n++) {
      expect(await outcomeOf(tryRefresh(first.refresh))).toBe('401 REFRESH_REUSED')
    }
    expect(await alarmsOf(first.sid)).toEqual({ audits: 1, mails: 1 })
  })

  it('ends the thief’s chain too', async () => {
    const first = await open()
    const thief = await refresh(first.refresh)
    await tryRefresh(first.refresh)
    expect(await outcomeOf(tryRefresh(thief.refresh))).toBe('401 REFRESH_INVALID')
    expect(await lives(thief.access)).toBe(false)
  })

  it('stores no token, neither of the login nor of a successor', async () => {
    const first = await open()
    const second = await refresh(first.refresh, first.nonce)
    const rows = JSON.stringify(
      await sql(
        `select to_jsonb(refresh_tokens) as a, to_jsonb(sessions) as b from refresh_tokens
          join sessions on sessions.id = session_id where session_id = $1`,
        [first.sid],
      ),
    )
    for (const secret of [first.refresh, second.refresh, first.nonce]) expect(rows).not.toContain(secret)
  })

  it('asks nobody about what cannot be a token', async () => {
    expect((await tryRefresh('rt_x')).calls).toBe(0)
  })

  it.each([
    [{}],
    [{ refreshToken: 1 }],
    [{ refreshToken: 'x', transport: 'cookie' }],
    [{ refreshToken: 'x', more: 1 }],
  ])('is not valid as %j', async (body) => {
    expect((await api('POST', '/api/auth/refresh', { body })).status).toBe(422)
  })
})

describe('the purge', () => {
  it('takes the tokens of a session with it', async () => {
    const first = await open()
    await refresh(first.refresh)
    await sql('delete from sessions where id = $1', [first.sid])
    expect(await sql('select from refresh_tokens where session_id = $1', [first.sid])).toEqual([])
  })
})
