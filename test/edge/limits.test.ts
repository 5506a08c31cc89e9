import { beforeAll, describe, expect, it } from 'vitest'
import { sleep } from '../../src/shared/backoff.ts'
import { password } from '../support/edge-provided.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { attempt, from, limitedApp, newAddress, watchedWindows } from '../support/edge-limits.ts'

const login = '/api/auth/login'

let user: TestUser

beforeAll(async () => {
  user = await newUser()
})

const limitsOf = ({ headers }: Response) => ({
  limit: Number(headers.get('X-RateLimit-Limit')),
  remaining: Number(headers.get('X-RateLimit-Remaining')),
  reset: Number(headers.get('X-RateLimit-Reset')),
  policy: headers.get('RateLimit-Policy'),
  current: headers.get('RateLimit'),
  retryAfter: headers.get('Retry-After'),
})

describe('every limited response', () => {
  it('tells the policy with the least remaining, and all that apply', async () => {
    const { request } = limitedApp({
      global: { points: 3, duration: 60 },
      login: { points: 9, duration: 900 },
    })
    const address = newAddress()
    const started = Date.now()
    const first = limitsOf(await request('/', from(address)))
    expect(first).toMatchObject({ limit: 3, remaining: 2, policy: '"global";q=3;w=60', retryAfter: null })
    expect(first.current).toMatch(/^"global";r=2;t=60$/)
    expect(first.reset).toBeGreaterThanOrEqual(Math.ceil((started + 60_000) / 1_000))
    expect(first.reset).toBeLessThanOrEqual(Math.ceil((Date.now() + 60_001) / 1_000))

    const second = limitsOf(await request(login, attempt(address, 'nobody@people.example')))
    expect(second).toMatchObject({
      remaining: 1,
      policy: '"global";q=3;w=60, "login";q=9;w=900, "account";q=20;w=3600',
    })
  })

  it.each([
    ['a success', 'GET', '/', 200],
    ['a 401', 'GET', '/api/auth/me', 401],
    ['a 404', 'GET', '/nowhere', 404],
    ['a 405', 'DELETE', '/api/v1/products', 405],
    ['a 415', 'POST', login, 415],
    ['HEAD', 'HEAD', '/api/v1/products', 200],
    ['a preflight', 'OPTIONS', '/api/v1/orders', 204],
  ])('is also %s', async (_, method, path, status) => {
    const { request } = limitedApp({})
    const response = await request(path, {
      method,
      ...from(newAddress()),
      ...(method === 'POST' ? { body: 'x' } : {}),
    })
    expect(response.status).toBe(status)
    expect(limitsOf(response)).toMatchObject({ limit: method === 'POST' ? 5 : 100, retryAfter: null })
  })

  it('is none of the probes, the keys and the documentation, however often', async () => {
    const { request } = limitedApp({ global: { points: 1, duration: 60 } })
    const address = newAddress()
    await request('/', from(address))
    for (const path of ['/health', '/ready', '/.well-known/jwks.json', '/api/docs', '/api/v1/openapi.json']) {
      for (const method of ['GET', 'HEAD', 'GET']) {
        const response = await request(path, { method, ...from(address) })
        expect([path, response.status]).toEqual([path, 200])
        expect(limitsOf(response)).toMatchObject({ policy: null, current: null })
      }
    }
  })
})

describe('a denial', () => {
  it('is a 429 that says how long to wait', async () => {
    const { request } = limitedApp({ global: { points: 1, duration: 60 } })
    const address = newAddress()
    await request('/', from(address))
    const response = await request('/', from(address, { Origin: 'https://shop.example' }))
    expect(response.status).toBe(429)
    expect(await response.json()).toEqual({
      error: {
        code: 'RATE_LIMITED',
        message: 'Too many requests: wait as long as Retry-After says',
        requestId: response.headers.get('X-Request-Id'),
      },
    })
    const { retryAfter, reset, ...rest } = limitsOf(response)
    expect(rest).toMatchObject({ limit: 1, remaining: 0, policy: '"global";q=1;w=60' })
    expect(rest.current).toBe(`"global";r=0;t=${retryAfter}`)
    expect(Number(retryAfter)).toBeGreaterThan(55)
    expect(reset - Number(retryAfter)).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000))
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://shop.example')
    expect(response.headers.get('Access-Control-Expose-Headers')).toContain('X-RateLimit-Reset')
  })

  it('ends when it said it would', async () => {
    const { request } = limitedApp({ global: { points: 2, duration: 3 } })
    const address = newAddress()
    for (let round = 0; round < 2; round++) {
      expect((await request('/', from(address))).status).toBe(200)
      await request('/', from(address))
      const { retryAfter } = limitsOf(await request('/', from(address)))
      await sleep(Number(retryAfter) * 1_000)
    }
    expect((await request('/', from(address))).status).toBe(200)
  })

  it('of one policy costs another nothing', async () => {
    const { request } = limitedApp({
      global: { points: 100, duration: 60 },
      login: { points: 1, duration: 900 },
    })
    const address = newAddress()
    for (let n = 0; n < 5; n++) await request(login, attempt(address, user.email))
    expect(limitsOf(await request('/', from(address))).remaining).toBe(98)
  })
})

describe('calls to the objects', () => {
  it('are one for all policies of a key', async () => {
    const { calls, windows } = watchedWindows()
    const { request } = limitedApp({}, { windows })
    const address = newAddress()
    await request('/', from(address))
    expect(calls.map(({ policies }) => policies)).toEqual([['global']])
    calls.length = 0
    await request(login, attempt(address, user.email))
    expect(calls.map(({ method, policies }) => [method, policies])).toEqual([
      ['take', ['global', 'login']],
      ['take', ['account']],
    ])
  })

  it('are none while a denial is remembered, and for that policy only', async () => {
    const { calls, windows } = watchedWindows()
    const { request } = limitedApp({ login: { points: 1, duration: 900 } }, { windows })
    const address = newAddress()
    await request(login, attempt(address, user.email))
    expect((await request(login, attempt(address, user.email))).status).toBe(429)
    calls.length = 0
    const again = await request(login, attempt(address, user.email))
    expect([again.status, calls]).toEqual([429, []])
    expect(limitsOf(again)).toMatchObject({ limit: 1, remaining: 0 })
    expect((await request('/', from(address))).status).toBe(200)
    expect(calls).toHaveLength(1)
  })

  it('are made again once the remembered denial is over', async () => {
    const { request } = limitedApp({ global: { points: 1, duration: 3 } })
    const address = newAddress()
    await request('/', from(address))
    const denied = await request('/', from(address))
    const remembered = await request('/', from(address))
    expect([denied.status, remembered.status]).toEqual([429, 429])
    await sleep(Number(remembered.headers.get('Retry-After')) * 1_000)
    expect((await request('/', from(address))).status).toBe(200)
  })
})

describe('the order of refusals', () => {
  it('has the limit of an address before a bad credential, and before anything of the body', async () => {
    const { request } = limitedApp({ global: { points: 1, duration: 60 } })
    const address = newAddress()
    await request('/', from(address))
    for (const init of [
      from(address, { Authorization: 'Bearer nonsense' }),
      { method: 'POST', body: '{', ...from(address, { 'Content-Type': 'application/json' }) },
      { method: 'PUT', ...from(address) },
    ]) {
      expect((await request('/api/v1/orders', init)).status).toBe(429)
    }
  })

  it('has the body’s size before the limit of an address', async () => {
    const { request } = limitedApp({ global: { points: 1, duration: 60 } })
    const address = newAddress()
    await request('/', from(address))
    const body = ' '.repeat(1_000_001)
    expect((await request(login, { ...attempt(address, user.email), body })).status).toBe(413)
  })

  it('has no password hashed after a denial, by address or by account', async () => {
    for (const limits of [
      { login: { points: 2, duration: 900 } },
      { account: { points: 2, duration: 900 } },
    ]) {
      let logins = 0
      const { request } = limitedApp(limits, {
        services: ({ auth }) => ({
          auth: {
            ...auth,
            login: async (...of) => {
              logins += 1
              return await auth.login(...of)
            },
          },
        }),
      })
      const [address, { email }] = [newAddress(), await newUser()]
      const statuses = []
      for (let n = 0; n < 5; n++)
        statuses.push((await request(login, attempt(address, email, { password }))).status)
      expect(statuses).toEqual([200, 200, 429, 429, 429])
      expect(logins).toBe(2)
    }
  })

  it('has the account’s limit before the validation of the rest', async () => {
    const { request } = limitedApp({ account: { points: 1, duration: 900 } })
    const [address, { email }] = [newAddress(), await newUser()]
    await request(login, attempt(address, email))
    const headers = attempt(address, email).headers
    const body = JSON.stringify({ email, password: 1, more: true })
    expect((await request(login, { method: 'POST', headers, body })).status).toBe(429)
  })
})
