import { describe, expect, it } from 'vitest'
import { sleep } from '../../src/shared/backoff.ts'
import { newId } from '../../src/shared/ids.ts'
import { createLocalStore } from '../../src/limits/local.ts'
import { createLimitMemory, createLimitService } from '../../src/limits/service.ts'
import { createObjectStore } from '../../src/limits/store.ts'
import { newUser } from '../support/edge-rows.ts'
import { attempt, from, limitedApp, newAddress, watchedWindows } from '../support/edge-limits.ts'

const login = '/api/auth/login'

/** Objects that can be made to fail, and how often they were asked. */
const brittleApp = (limits: Parameters<typeof limitedApp>[0]) => {
  const state = { mode: 'well' as 'well' | 'down' | 'silent', asked: 0 }
  const { getByName } = watchedWindows().windows
  const app = limitedApp(limits, {
    windows: {
      getByName: (key) => ({
        ...getByName(key),
        async take(request) {
          state.asked += 1
          if (state.mode === 'down') throw new Error('Network connection lost.')
          if (state.mode === 'silent') await sleep(60_000)
          return await getByName(key).take(request)
        },
      }),
    },
  })
  return { state, ...app }
}

describe.each(['down', 'silent'] as const)('while the objects are %s', (mode) => {
  it('reads are let through without headers, and after three failures nothing is asked', async () => {
    const { state, lines, request } = brittleApp({ global: { points: 1, duration: 60 } })
    state.mode = mode
    const address = newAddress()
    for (let n = 0; n < 6; n++) {
      const response = await request('/', from(address))
      expect([response.status, response.headers.has('X-RateLimit-Limit')]).toEqual([200, false])
    }
    expect(state.asked).toBe(3)
    expect(lines.filter((line) => line.includes('store of limits is away'))).toHaveLength(1)
  })

  it('logins are counted by the isolate, and refused beyond the limit', async () => {
    const { state, request } = brittleApp({ login: { points: 2, duration: 900 } })
    state.mode = mode
    const [address, { email }] = [newAddress(), await newUser()]
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await request(login, attempt(address, email))).status)
    expect(statuses).toEqual([401, 401, 429, 429])
  })
})

describe('the breaker', () => {
  it('asks again after its rest and tells that the store is back', async () => {
    const { state, lines, request } = brittleApp({ global: { points: 50, duration: 60 } })
    const address = newAddress()
    state.mode = 'down'
    for (let n = 0; n < 5; n++) await request('/', from(address))
    state.mode = 'well'
    expect((await request('/', from(address))).headers.has('X-RateLimit-Limit')).toBe(false)
    await sleep(5_000)
    expect((await request('/', from(address))).headers.get('X-RateLimit-Remaining')).toBe('49')
    expect(lines.filter((line) => line.includes('store of limits is back'))).toHaveLength(1)
    expect(state.asked).toBe(4)
  })

  it('is not opened by one object that cannot keep up: its key is refused', async () => {
    const overloaded = Object.assign(new Error('Durable Object is overloaded'), {
      overloaded: true,
      retryable: true,
    })
    const { windows } = watchedWindows({
      fails: (key) => (key.includes('2001:bad') ? overloaded : undefined),
    })
    const { request } = limitedApp({}, { windows })
    const statuses = []
    for (let n = 0; n < 6; n++) statuses.push((await request('/', from(`2001:bad:${n}::1`))).status)
    expect(statuses).toEqual([429, 429, 429, 429, 429, 429])
    expect((await request('/', from(newAddress()))).headers.get('X-RateLimit-Remaining')).toBe('99')
  })

  it('is not opened by an object that has moved: it is asked once more', async () => {
    let moved = false
    const error = Object.assign(new Error('Durable Object reset because its code was updated.'), {
      retryable: true,
    })
    const { windows, calls } = watchedWindows({
      fails: () => {
        moved = !moved
        return moved ? error : undefined
      },
    })
    const { request } = limitedApp({}, { windows })
    const response = await request('/', from(newAddress()))
    expect([response.headers.get('X-RateLimit-Remaining'), calls.length]).toEqual(['99', 2])
  })
})

describe('stores that are asked at once', () => {
  const upstash = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1', UPSTASH_REDIS_REST_TOKEN: 'token' }

  /** `global` in another store than `login`. */
  const appOver = (limits: Parameters<typeof limitedApp>[0]) => {
    const memory = createLimitMemory()
    const { calls, windows } = watchedWindows()
    const stores = { objects: createObjectStore(windows), upstash: createLocalStore() }
    const log = { info: () => {}, error: () => {} }
    const services = () => ({ limits: createLimitService({ stores, memory, log }) })
    return { calls, objects: stores.objects, ...limitedApp(limits, { env: upstash, services }) }
  }

  it('get their point back when another denies', async () => {
    const { calls, request } = appOver({
      global: { points: 50, duration: 60 },
      login: { points: 2, duration: 900 },
    })
    const [address, { email }] = [newAddress(), await newUser()]
    const remaining = async () => (await request('/', from(address))).headers.get('X-RateLimit-Remaining')
    await request(login, attempt(address, email))
    await request(login, attempt(address, email))
    expect(await remaining()).toBe('47')
    expect((await request(login, attempt(address, email))).status).toBe(429)
    expect(await remaining()).toBe('46')
    expect(calls.filter(({ policies }) => policies.includes('global'))).toEqual([])
  })

  it('give back over the real objects too', async () => {
    const { calls, objects, request } = appOver({
      global: { points: 1, duration: 60 },
      login: { points: 2, duration: 900 },
    })
    const [address, { email }] = [newAddress(), await newUser()]
    await request('/', from(address))
    expect((await request(login, attempt(address, email))).status).toBe(429)
    expect(calls.map(({ method, policies }) => [method, ...policies])).toEqual([
      ['take', 'login'],
      ['giveBack', 'login'],
    ])
    const left = await objects.take(calls[0]?.key ?? '', [{ name: 'login', points: 2, windowMs: 900_000 }])
    expect(left.verdicts[0]?.remaining).toBe(1)
  })

  it('fail each in its own way', async () => {
    const { request } = limitedApp({ login: { points: 2, duration: 900 } }, { env: upstash })
    const [address, { email }] = [newAddress(), await newUser()]
    const responses = []
    for (let n = 0; n < 3; n++) responses.push(await request(login, attempt(address, email)))
    expect(responses.map(({ status }) => status)).toEqual([401, 401, 429])
    expect(responses[0]?.headers.get('RateLimit-Policy')).toBe('"login";q=2;w=900, "account";q=20;w=3600')
  })
})

describe('the log', () => {
  it('names neither address nor account of what failed', async () => {
    const { request, lines } = limitedApp(
      {},
      {
        env: {
          UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
          UPSTASH_REDIS_REST_TOKEN: `secret-${newId()}`,
          LOG_LEVEL: 'info',
        },
      },
    )
    const address = newAddress()
    for (let n = 0; n < 4; n++) await request('/', from(address))
    const line = lines.find((one) => one.includes('store of limits is away'))
    expect(line).toBeDefined()
    expect(line).not.toMatch(new RegExp(`${address.split('::')[0]}|secret-|evalsha`))
  })
})
