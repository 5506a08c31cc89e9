import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { takeLines } from '../support/edge-console.ts'
import { endEarlierObjects } from '../support/edge-objects.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'

const canary = 'CANARY5f1d'
const json = { 'Content-Type': 'application/json' }

endEarlierObjects()

let admin: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
})

beforeEach(() => {
  takeLines()
})

describe('a line of a request', () => {
  const requests: [string, string, Parameters<typeof api>[2]][] = [
    ['GET', '/health', {}],
    ['GET', '/api/v1/products', {}],
    ['GET', '/nowhere', {}],
    ['POST', '/api/v1/orders', {}],
    ['POST', '/api/v1/orders', { body: { items: [{ productId: newId(), quantity: 1 }] } }],
    ['POST', '/api/auth/login', { body: { email: 'nobody@people.example', password: 'x' } }],
    ['POST', '/api/auth/login', { raw: '{', headers: json }],
    ['PUT', '/api/auth/login', {}],
  ]
  it.each(requests)('%s %s carries its id', async (method, path, options) => {
    const id = `log-${newId()}`
    await api(method, path, {
      ...options,
      headers: { ...options?.headers, 'X-Request-Id': id },
      token: admin.token,
    })
    const lines = takeLines()
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter((line) => !line.includes(id))).toEqual([])
  })

  it('is JSON outside development: level, time, msg, requestId first, then method, path, status, user', async () => {
    const { request, lines } = appWith({ env: { ENVIRONMENT: 'preview', LOG_LEVEL: 'info' } })
    const id = `log-${newId()}`
    await request('/api/auth/me?q=1', {
      headers: { Authorization: `Bearer ${admin.token}`, 'X-Request-Id': id },
    })
    expect(lines).toHaveLength(1)
    const line: Record<string, unknown> = JSON.parse(lines[0] ?? '')
    expect(Object.keys(line).slice(0, 4)).toEqual(['level', 'time', 'msg', 'requestId'])
    expect(line).toMatchObject({
      level: 'info',
      requestId: id,
      method: 'GET',
      path: '/api/auth/me',
      status: 200,
      durationMs: expect.any(Number),
      userId: admin.id,
      databaseCalls: 1,
    })
    expect(line).not.toHaveProperty('headers')
    expect(line).not.toHaveProperty('body')
  })

  it.each([
    ['error', 0],
    ['warn', 0],
    ['info', 1],
    ['debug', 2],
  ])('is written at LOG_LEVEL=%s %i times', async (LOG_LEVEL, count) => {
    const { request, lines } = appWith({ env: { ENVIRONMENT: 'test', LOG_LEVEL } })
    await request('/api/v1/categories')
    expect(lines).toHaveLength(count)
  })

  it('has the body, without its secrets, at debug', async () => {
    await api('POST', '/api/auth/login', { body: { email: 'nobody@people.example', password: canary } })
    const lines = takeLines().join('\n')
    expect(lines).toContain('nobody@people.example')
    expect(lines).toContain('[redacted]')
    expect(lines).not.toContain(canary)
  })

  it('has the size of a long body in its place', async () => {
    await api('POST', '/api/auth/login', { body: { email: 'x'.repeat(9_000), password: 'x' } })
    expect(takeLines().join('\n')).toMatch(/90\d\d characters/)
  })
})

describe('a secret never reaches the console', () => {
  const bodies: [string, unknown][] = [
    ['a password', { email: 'a@b.example', password: canary }],
    ['odd letter case', { PassWord: canary, ACCESS_TOKEN: canary, ApiKey: canary }],
    ['nesting', { a: { b: [{ c: { d: [{ newPassword: canary, Secret: { value: canary } }] } }] } }],
    ['an object under its name', { token: { any: { depth: canary } } }],
    ['cards', { creditCard: canary, card_number: canary, CVV: canary, note: '4111 1111 1111 1111' }],
    [
      'JSON in text',
      { note: JSON.stringify({ password: canary, deeper: JSON.stringify({ token: canary }) }) },
    ],
    ['a form in text', { note: `user=a&password=${canary}&token=${canary}` }],
    ['a bearer in text', { note: `Authorization: Bearer ${canary}` }],
    ['a database address', { note: `postgres://app:${canary}@db.example/main` }],
    ['an unknown field’s name beside it', { [`password`]: canary, __proto__: { secret: canary } }],
  ]
  it.each(bodies)('from a body: %s', async (_, body) => {
    await api('POST', '/api/auth/login', { body })
    await api('POST', '/api/v1/users', { body, token: admin.token })
    const lines = takeLines()
    expect(lines.length).toBeGreaterThanOrEqual(2)
    // Ids of requests and traces may have the digits of a card.
    const text = lines.join('\n').replaceAll(/\b[\da-f]{8}-[\da-f-]{27}\b|\b[\da-f]{32}\b/g, 'id')
    expect(text).not.toMatch(/CANARY5f1d|4111/)
  })

  it('from a body that is deeper than a log line', async () => {
    const raw = `${'{"a":'.repeat(1_000)}{"password":"${canary}"}${'}'.repeat(1_000)}`
    await api('POST', '/api/auth/login', { raw, headers: json })
    expect(takeLines().join('\n')).not.toContain(canary)
  })

  it.each([
    ['Authorization', `Bearer ${canary}`],
    ['Authorization', `Basic ${btoa(`user:${canary}`)}`],
    ['Cookie', `session=${canary}; theme=dark`],
    ['X-Api-Key', canary],
    ['Sec-WebSocket-Protocol', `selvedge.v1, ticket.${canary}`],
    ['X-Auth-Token', canary],
    ['Proxy-Authorization', `Basic ${canary}`],
    ['Referer', `https://shop.example/?token=${canary}&password=${canary}`],
    ['X-Anything', `password=${canary}`],
  ])('from the header %s: %s', async (name, value) => {
    await api('GET', '/api/v1/products', { headers: { [name]: value } })
    const lines = takeLines().join('\n')
    expect(lines).toContain('/api/v1/products')
    expect(lines).not.toContain(canary)
    expect(lines).not.toContain(btoa(`user:${canary}`))
  })

  it.each(['/health', '/api/v1/products', '/nowhere', '/api/v1/orders'])(
    'from the query string of %s',
    async (path) => {
      await api('GET', `${path}?token=${canary}&q=${canary}&anything=${canary}`, { token: admin.token })
      const lines = takeLines().join('\n')
      expect(lines).toContain(path)
      expect(lines).not.toContain(canary)
    },
  )

  it('from a login: neither password, hash nor token', async () => {
    const { password } = await import('../support/edge-provided.ts')
    const { text } = await api('POST', '/api/auth/login', { body: { email: admin.email, password } })
    const lines = takeLines().join('\n')
    const [token = ''] = /eyJ[\w.-]+/.exec(text) ?? []
    expect(token).not.toBe('')
    for (const secret of [password, token, '$scrypt$', admin.token]) expect(lines).not.toContain(secret)
  })

  const errors: [string, () => Error][] = [
    ['a message', () => new Error(`refused password=${canary}`)],
    ['a cause', () => new Error('x', { cause: new Error(`token: ${canary}`) })],
    [
      'a nested cause',
      () => new Error('x', { cause: new Error('y', { cause: new Error(`secret=${canary}`) }) }),
    ],
    ['a header in a message', () => new Error(`sent Authorization: Bearer ${canary}`)],
    ['an address', () => new Error(`cannot reach postgres://app:${canary}@db.example/main`)],
    [
      'a driver’s error',
      () =>
        Object.assign(new Error(`Failed query: insert … params: ${canary}`), {
          name: 'DrizzleQueryError',
          cause: Object.assign(new Error(`Key (email)=(${canary}) exists`), {
            name: 'NeonDbError',
            code: '23505',
            detail: canary,
          }),
        }),
    ],
  ]
  it.each(errors)('from a thrown error: %s', async (_, make) => {
    for (const ENVIRONMENT of ['development', 'test']) {
      const { request, lines } = appWith({
        env: { ENVIRONMENT },
        services: (real) => ({
          categories: {
            ...real.categories,
            get: async () => {
              throw make()
            },
          },
        }),
      })
      const response = await request('/api/v1/categories/linen')
      expect(response.status).toBe(500)
      expect(lines.join('\n')).toContain('request failed')
      expect(lines.join('\n')).not.toContain(canary)
      expect(await response.text()).not.toContain(canary)
    }
  })

  it('from a refusal by the database', async () => {
    const body = { name: canary, email: admin.email, password: 'Warp-and-Weft-8' }
    expect((await api('POST', '/api/v1/users', { body, token: admin.token })).status).toBe(409)
    const lines = takeLines().join('\n')
    expect(lines).not.toContain('Warp-and-Weft-8')
    expect(lines).not.toContain('already exists')
  })
})
