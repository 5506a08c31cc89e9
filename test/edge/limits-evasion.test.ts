import { describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { newUser } from '../support/edge-rows.ts'
import { attempt, from, limitedApp, newAddress } from '../support/edge-limits.ts'

const login = '/api/auth/login'

/** The app with a count of the attempts that came as far as the password. */
const countingApp = (limits: Parameters<typeof limitedApp>[0]) => {
  const reached: string[] = []
  const app = limitedApp(limits, {
    services: ({ auth }) => ({
      auth: {
        ...auth,
        login: async (credentials, userAgent) => {
          reached.push(credentials.email)
          return await auth.login(credentials, userAgent)
        },
      },
    }),
  })
  return { ...app, reached }
}

const times = <T>(n: number, make: (n: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))

const statusesOf = async (responses: Promise<Response>[]) =>
  (await Promise.all(responses)).map(({ status }) => status)

const admitted = (statuses: number[]): number => statuses.filter((status) => status !== 429).length

describe('an address', () => {
  const quad = () => times(4, () => Math.floor(Math.random() * 250) + 1)
  const hex = (n: number) => n.toString(16).padStart(2, '0')
  const [a = 0, b = 0, c = 0, d = 0] = quad()
  const prefix = newAddress().split('::')[0] ?? ''

  it.each([
    ['one /64', times(12, (n) => `${prefix}::${n}:${n}`)],
    [
      'one /64, spelled differently',
      [`${prefix}::9`, `${prefix}:0:0:0:9`, `${prefix}::9`.toUpperCase(), `${prefix}::0.0.0.9`],
    ],
    [
      'IPv4, and the same as IPv6',
      [
        `${a}.${b}.${c}.${d}`,
        `::ffff:${a}.${b}.${c}.${d}`,
        `::FFFF:${a}.${b}.${c}.${d}`,
        `0:0:0:0:0:ffff:${hex(a)}${hex(b)}:${hex(c)}${hex(d)}`,
        `0000::ffff:${a}.${b}.${c}.${d}`,
      ],
    ],
    ['no address', ['', 'nonsense', '999.1.1.1', `${prefix}::1, ${prefix}::2`, 'localhost']],
  ])('in many spellings is one: %s', async (_, addresses) => {
    const { request } = limitedApp({ global: { points: 3, duration: 60 } })
    const statuses = await statusesOf(
      addresses.flatMap((one) => [request('/', from(one)), request('/', from(one))]),
    )
    // Requests without an address share a key with those of other tests.
    expect(admitted(statuses)).toBeLessThanOrEqual(3)
  })

  it('is not what a client says in another header', async () => {
    const { request } = limitedApp({ global: { points: 3, duration: 60 } })
    const address = newAddress()
    const names = [
      'X-Forwarded-For',
      'X-Real-IP',
      'True-Client-IP',
      'Forwarded',
      'X-Client-IP',
      'CF-Connecting-IPv6',
      'CF-Pseudo-IPv4',
    ]
    const statuses = await statusesOf(
      names.flatMap((name) => times(3, (n) => request('/', from(address, { [name]: `198.51.100.${n}` })))),
    )
    expect(admitted(statuses)).toBe(3)
  })

  it('that is missing makes all such requests one client', async () => {
    const { request } = limitedApp({ global: { points: 3, duration: 60 } })
    const statuses = await statusesOf(
      times(9, (n) => request('/', { headers: { 'X-Forwarded-For': `198.51.100.${n}` } })),
    )
    expect(admitted(statuses)).toBeLessThanOrEqual(3)
  })
})

describe('the limit of an address', () => {
  it('holds over all paths and methods together', async () => {
    const { request } = limitedApp({ global: { points: 5, duration: 60 } })
    const address = newAddress()
    const paths = [
      '/',
      '//',
      '/nowhere',
      '/nowhere/',
      '/api//v1/products',
      '/%61pi/v1/products',
      '/health/',
      '//health',
      '/api/docs/',
      '/HEALTH',
      '/ready?x',
      '/./nowhere',
    ]
    const limitedPaths = paths.filter((path) => path !== '/ready?x')
    const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PROPFIND']
    const statuses = await statusesOf(
      limitedPaths.flatMap((path) => methods.map((method) => request(path, { method, ...from(address) }))),
    )
    expect(admitted(statuses)).toBe(5)
  })

  it('counts what only looks like a probe', async () => {
    const { request } = limitedApp({ global: { points: 2, duration: 60 } })
    const address = newAddress()
    const statuses = await statusesOf(
      ['/health', '/ready', '/.well-known/jwks.json'].flatMap((path) =>
        ['POST', 'DELETE', 'OPTIONS'].map((method) => request(path, { method, ...from(address) })),
      ),
    )
    expect(admitted(statuses)).toBe(2)
  })

  it('is kept by a burst', async () => {
    const { request } = limitedApp({ global: { points: 20, duration: 60 } })
    const address = newAddress()
    expect(admitted(await statusesOf(times(200, () => request('/', from(address)))))).toBe(20)
  })
})

describe('attempts to log in', () => {
  it('of an address are counted under every spelling of the path', async () => {
    const { request, reached } = countingApp({ login: { points: 3, duration: 900 } })
    const [address, { email }] = [newAddress(), await newUser()]
    const spellings = [
      login,
      `${login}/`,
      '//api/auth/login',
      '/api//auth/login',
      '/api/auth/%6cogin',
      '/%61%70%69/auth/login',
      '/api/auth/log%69n?x=1',
      '/API/AUTH/LOGIN',
      '/api/auth/./login',
      '/api/v1/../auth/login',
      '/api/auth/login%2f',
      '/api/auth/login%00',
      '/api/auth/login;x',
    ]
    for (const path of [...spellings, ...spellings]) await request(path, attempt(address, email))
    expect(reached).toHaveLength(3)
  })

  it('to an account are counted under every spelling of its address, from wherever', async () => {
    const { request, reached } = countingApp({ account: { points: 4, duration: 900 } })
    const { id } = await newUser()
    const email = `${id}@people.example`
    const spellings = [
      email,
      email.toUpperCase(),
      ` ${email}`,
      `${email}\t`,
      email.replace('@', '@').replace('e', 'E'),
    ]
    await newUser({ email: `a.${email}` })
    for (const one of [...spellings, ...spellings]) await request(login, attempt(newAddress(), one))
    expect(reached).toHaveLength(4)
    // With dots it is another account: it has an own count, and no more attempts at the first.
    for (const one of [`a.${email}`, `A.${email}`, `${email}.`])
      await request(login, attempt(newAddress(), one))
    expect(reached.map((one) => one.trim().toLowerCase()).filter((one) => one === email)).toHaveLength(4)
  })

  it('are counted whatever the body is called', async () => {
    const { request, reached } = countingApp({ account: { points: 2, duration: 900 } })
    const { email } = await newUser()
    const types = [
      'application/json',
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/vnd.api+json',
      'text/plain',
    ]
    for (const type of [...types, ...types]) {
      const init = attempt(newAddress(), email)
      await request(login, { ...init, headers: { ...init.headers, 'Content-Type': type } })
    }
    expect(reached).toHaveLength(2)
  })

  it('are not multiplied by fields that appear twice', async () => {
    const { request, reached } = countingApp({ account: { points: 2, duration: 900 } })
    const { email } = await newUser()
    for (let n = 0; n < 6; n++) {
      const body = `{"email":"${newId()}@people.example","email":"${email}","password":"x"}`
      await request(login, { ...attempt(newAddress(), email), body })
    }
    expect(reached).toEqual([email, email])
  })
})
