import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AppError } from '../../src/shared/errors.ts'
import type { Services } from '../../src/services.ts'
import { origin } from '../support/edge-api.ts'
import { appWith, restoreLogger } from '../support/edge-app.ts'
import { takeLines } from '../support/edge-console.ts'
import { endEarlierObjects } from '../support/edge-objects.ts'
import { sql } from '../support/edge-sql.ts'

endEarlierObjects()

const Failure = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    requestId: z.string(),
    stack: z.string().optional(),
  }),
})

const failure = async (response: Response) => Failure.parse(await response.json()).error

const canary = 'canary-5f1d'

const lists = (thrown: Error) => (real: Services) => ({
  categories: {
    ...real.categories,
    list: async () => {
      throw thrown
    },
  },
})

const path = '/api/v1/categories'

const thrown: [string, Error, number, string][] = [
  ['an error of ours', new Error(canary), 500, 'Something went wrong on our side'],
  ['a TypeError', new TypeError(canary), 500, 'Something went wrong on our side'],
  ['an INTERNAL', new AppError('INTERNAL', canary), 500, 'Something went wrong on our side'],
  [
    'an UNAVAILABLE',
    new AppError('UNAVAILABLE', canary),
    503,
    'A service we depend on is not available; try again shortly',
  ],
]

describe('a handler that throws', () => {
  it.each(thrown)('%s is answered with a constant text and no stack', async (_, error, status, message) => {
    for (const ENVIRONMENT of ['test', 'preview']) {
      const { request } = appWith({ env: { ENVIRONMENT, LOG_LEVEL: 'info' }, services: lists(error) })
      const response = await request(path)
      expect(response.status).toBe(status)
      const text = await response.clone().text()
      expect(text).not.toMatch(/canary|at .*\(|stack/)
      expect(await failure(response)).toMatchObject({ message })
    }
  })

  it('shows its stack in development only', async () => {
    const { request } = appWith({ services: lists(new Error('x')) })
    expect((await failure(await request(path))).stack).toContain('AppError')
  })

  it('is logged with its causes and the id of the request', async () => {
    const error = new Error('outer', { cause: new TypeError('inner') })
    const { request, lines } = appWith({ env: { ENVIRONMENT: 'test' }, services: lists(error) })
    await request(path, { headers: { 'X-Request-Id': 'request-0001' } })
    const line: unknown = JSON.parse(lines.find((one) => one.includes('request failed')) ?? '')
    expect(line).toMatchObject({
      level: 'error',
      requestId: 'request-0001',
      error: { cause: { message: 'outer', cause: { name: 'TypeError', message: 'inner' } } },
    })
  })

  it('has the headers of every answer', async () => {
    const { request } = appWith({ services: lists(new Error('x')) })
    const { headers } = await request(path, { headers: { Origin: 'https://shop.example' } })
    expect(headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/)
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(headers.get('Access-Control-Allow-Origin')).toBe('https://shop.example')
  })

  it.each([
    ['in development', 'development', 'db;dur=0;desc="0"'],
    ['nowhere else', 'test', null],
  ])('tells its round trips %s', async (_, ENVIRONMENT, timing) => {
    const { request } = appWith({ env: { ENVIRONMENT, LOG_LEVEL: 'info' }, services: lists(new Error('x')) })
    expect((await request(path)).headers.get('Server-Timing')).toBe(timing)
  })
})

describe('a database that is away', () => {
  // Nothing listens on the discard port.
  const away = { DATABASE_FETCH_ENDPOINT: 'http://127.0.0.1:9/sql', DATABASE_TIMEOUT_MS: '1000' }

  it('makes /ready a 503 with Retry-After that names it', async () => {
    const { request } = appWith({ env: away })
    const response = await request('/ready')
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await response.json()).toEqual({
      status: 'unavailable',
      checks: { database: { status: 'down', latencyMs: expect.any(Number) } },
    })
  })

  it('leaves /health as it is', async () => {
    expect((await appWith({ env: away }).request('/health')).status).toBe(200)
  })

  it('makes a read, tried three times, and a write, tried once, a 503 with Retry-After', async () => {
    const { request, lines } = appWith({ env: away })
    const read = await request(path)
    const login = await request('/api/auth/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'ada@people.example', password: canary }),
    })
    for (const response of [read, login]) {
      expect(response.status).toBe(503)
      expect(response.headers.get('Retry-After')).toBe('2')
      expect((await failure(response)).code).toBe('UNAVAILABLE')
    }
    expect(read.headers.get('Server-Timing')).toContain('desc="3"')
    expect(lines.join('\n')).not.toContain(canary)
    expect(lines.join('\n')).not.toContain(new URL(env.DATABASE_URL).password + '@')
  })
})

describe('a database that fails', () => {
  it('is a 500 that tells the client nothing of it', async () => {
    await sql('alter table categories rename to lost')
    try {
      const { request, lines } = appWith({ env: { ENVIRONMENT: 'test' } })
      const response = await request(path)
      expect(response.status).toBe(500)
      expect(await response.text()).not.toMatch(/categories|lost|relation|select/)
      expect(lines.join()).toContain('42P01')
    } finally {
      await sql('alter table lost rename to categories')
    }
  })
})

describe('a configuration that is refused', () => {
  // A copy of the module that has not read a configuration yet.
  const unstarted = '../../workers/api.ts?unstarted'

  afterEach(restoreLogger)

  it.each([
    ['nothing set', {}, ['ENVIRONMENT', 'JWT_KEYS', 'DATABASE_URL']],
    [
      'development secrets in production',
      { ...env, ENVIRONMENT: 'production' },
      ['DATABASE_URL', 'LOG_LEVEL'],
    ],
    [
      'a value that is none',
      { ...env, JWT_KEYS: canary, DATABASE_URL: canary },
      ['JWT_KEYS', 'DATABASE_URL'],
    ],
  ])('with %s is a 503, and the log names variables and never values', async (_, given, names) => {
    const { serve }: typeof import('../../workers/api.ts') = await import(unstarted)
    takeLines()
    const response = await serve(new Request(`${origin}/health`), given as Env, createExecutionContext())
    expect(response.status).toBe(503)
    expect(response.headers.get('Retry-After')).toBe('60')
    const { requestId } = await failure(response.clone())
    expect(response.headers.get('X-Request-Id')).toBe(requestId)
    const lines = takeLines()
    expect(lines).toHaveLength(1)
    const [line = ''] = lines
    expect(JSON.parse(line)).toMatchObject({ level: 'error', requestId })
    for (const name of names) expect(line).toContain(name)
    for (const text of [line, await response.text()]) {
      for (const value of [canary, env.DATABASE_URL, '127.0.0.1', '"d"']) expect(text).not.toContain(value)
    }
  })
})
