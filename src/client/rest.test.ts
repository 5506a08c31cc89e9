import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createClient, type ClientOptions } from './rest.ts'
import { memoryStore, type SavedSession } from './session.ts'

type Answer = (request: Request) => Response | Promise<Response>

const user = { id: 'u1', name: 'Ada', email: 'ada@example.com', role: 'user' }

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })

const failure = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(
    { error: { code, message: code, requestId: 'r-12345678', details: [{ field: 'a', message: 'b' }] } },
    status,
    headers,
  )

/** Refresh tokens that follow one another as docs/guides/sessions.md says; an access token is good until it is ended. */
const createServer = ({ expiresIn = 900 } = {}) => {
  const requests: { path: string; method: string; headers: Headers; body: string; credentials: string }[] = []
  const overrides: Answer[] = []
  const ended = new Set<string>()
  let generation = 0
  const tokens = (transport: string) => ({
    data: {
      ...{
        accessToken: `access-${generation}`,
        tokenType: 'Bearer',
        expiresIn,
        refreshExpiresIn: 1_000,
        user,
      },
      ...(transport === 'json' ? { refreshToken: `refresh-${generation}` } : {}),
      refreshNonce: `nonce-${generation}`,
    },
  })
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const body = await request.clone().text()
    requests.push({
      path: pathname,
      method: request.method,
      headers: request.headers,
      body,
      credentials: Reflect.get(request, 'credentials') as string,
    })
    const override = overrides.shift()
    if (override !== undefined) return await override(request)
    if (pathname === '/api/auth/login') return json(tokens(JSON.parse(body).transport))
    if (pathname === '/api/auth/refresh') {
      generation += 1
      return json(tokens(JSON.parse(body).transport))
    }
    if (pathname === '/api/auth/logout') return new Response(null, { status: 204 })
    const token = request.headers.get('Authorization')?.replace('Bearer ', '')
    if (token === undefined || ended.has(token)) return failure(401, 'UNAUTHENTICATED')
    return json({ data: { seen: token } })
  }
  return {
    fetch,
    requests,
    answerNext: (...answers: Answer[]) => void overrides.push(...answers),
    end: () => void ended.add(`access-${generation}`),
    of: (path: string) => requests.filter((one) => one.path === path),
  }
}

const login = { email: user.email, password: 'secret' }

const setUp = async (options: Partial<ClientOptions> = {}, settings = {}) => {
  const server = createServer(settings)
  const client = createClient({ url: 'https://api.example.com/', fetch: server.fetch, ...options })
  await client.session.login(login)
  return { server, client }
}

const lost = () => Promise.reject(new TypeError('fetch failed'))

beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0.01))

describe('requests', () => {
  it('carry the access token and resolve with the body', async () => {
    const { client, server } = await setUp()
    await expect(client.get('/api/auth/me')).resolves.toEqual({ data: { seen: 'access-0' } })
    await expect(client.post('/api/auth/logout')).resolves.toBeUndefined()
    expect(server.requests.at(-1)?.headers.get('Authorization')).toBe('Bearer access-0')
  })

  it('that fail throw what the API says', async () => {
    const { client, server } = await setUp()
    server.answerNext(() => failure(429, 'RATE_LIMITED', { 'Retry-After': '7' }))
    await expect(client.get('/api/v1/orders')).rejects.toMatchObject({
      ...{ name: 'ApiError', status: 429, code: 'RATE_LIMITED', requestId: 'r-12345678', retryAfter: 7_000 },
      details: [{ field: 'a', message: 'b' }],
    })
    server.answerNext(() => new Response('<html>', { status: 502, headers: { 'X-Request-Id': 'r-other' } }))
    await expect(client.get('/api/v1/orders')).rejects.toMatchObject({
      status: 502,
      code: 'UNKNOWN',
      requestId: 'r-other',
    })
  })

  it('are repeated after a failure that may pass, when that is safe', async () => {
    const { client, server } = await setUp()
    server.answerNext(lost, () => failure(503, 'UNAVAILABLE', { 'Retry-After': '0' }))
    await client.get('/api/v1/orders')
    expect(server.of('/api/v1/orders')).toHaveLength(3)
    server.answerNext(lost)
    const items = [{ productId: 'p', quantity: 1 }]
    await client.post('/api/v1/orders', { body: { items }, params: { header: { 'idempotency-key': 'k' } } })
    const [first, second] = server.of('/api/v1/orders').slice(3)
    expect(second).toMatchObject({ method: 'POST', body: first!.body })
    expect(second!.headers.get('Idempotency-Key')).toBe('k')
  })

  it('are not repeated without a key, or for a wait that is the caller’s to decide about', async () => {
    const { client, server } = await setUp()
    server.answerNext(lost)
    await expect(client.post('/api/v1/orders', { body: { items: [] } })).rejects.toMatchObject({
      code: 'NETWORK',
      status: 0,
    })
    server.answerNext(() => failure(503, 'UNAVAILABLE', { 'Retry-After': '60' }))
    await expect(client.get('/api/v1/orders')).rejects.toMatchObject({ retryAfter: 60_000 })
    expect(server.of('/api/v1/orders')).toHaveLength(2)
  })

  it('that the caller gives up are its own abort', async () => {
    const { client, server } = await setUp()
    const controller = new AbortController()
    server.answerNext((request) => {
      controller.abort()
      request.signal.throwIfAborted()
      throw new Error('not aborted')
    })
    const asked = client.get('/api/v1/orders', { signal: controller.signal })
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('the session', () => {
  it('is renewed once for all who were refused, by the nonce that came with the token', async () => {
    const { client, server } = await setUp()
    server.end()
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.get('/api/auth/me')))
    expect(answers).toEqual(Array.from({ length: 4 }, () => ({ data: { seen: 'access-1' } })))
    const [refresh, ...more] = server.of('/api/auth/refresh')
    expect(more).toEqual([])
    expect(refresh!.headers.get('Idempotency-Key')).toBe('nonce-0')
    expect(JSON.parse(refresh!.body)).toEqual({ transport: 'json', refreshToken: 'refresh-0' })
  })

  it('is renewed before its token is too old', async () => {
    const { client } = await setUp({}, { expiresIn: 20 })
    await expect(client.get('/api/auth/me')).resolves.toEqual({ data: { seen: 'access-1' } })
  })

  it('survives a lost answer to a refresh: the same token again, with the same key', async () => {
    const { client, server } = await setUp()
    server.end()
    server.answerNext(() => failure(401, 'UNAUTHENTICATED'), lost)
    await client.get('/api/auth/me')
    const [first, second] = server.of('/api/auth/refresh')
    expect(second!.body).toBe(first!.body)
    expect(second!.headers.get('Idempotency-Key')).toBe(first!.headers.get('Idempotency-Key'))
  })

  it('is over when its refresh token is refused, and says so once', async () => {
    const onEnded = vi.fn()
    const store = memoryStore()
    const { client, server } = await setUp({ onEnded, store })
    server.end()
    server.answerNext(
      () => failure(401, 'UNAUTHENTICATED'),
      () => failure(401, 'REFRESH_REUSED'),
    )
    await expect(client.get('/api/auth/me')).rejects.toMatchObject({ code: 'REFRESH_REUSED' })
    expect(onEnded).toHaveBeenCalledTimes(1)
    expect(store.load()).toBeUndefined()
    expect(client.session.user).toBeUndefined()
  })

  it('is kept when the API is away', async () => {
    const onEnded = vi.fn()
    const { client, server } = await setUp({ onEnded })
    server.end()
    server.answerNext(() => failure(401, 'UNAUTHENTICATED'), lost, lost, lost)
    await expect(client.get('/api/auth/me')).rejects.toMatchObject({ code: 'NETWORK' })
    await expect(client.get('/api/auth/me')).resolves.toEqual({ data: { seen: 'access-1' } })
    expect(onEnded).not.toHaveBeenCalled()
  })

  it('of a page never sees the refresh token, and is there again after a reload', async () => {
    let saved: SavedSession | undefined
    const store = { load: () => saved, save: (session?: SavedSession) => void (saved = session) }
    const { server } = await setUp({ transport: 'cookie', store })
    expect(saved).toEqual({ refreshNonce: 'nonce-0' })
    const reloaded = createClient({
      url: 'https://api.example.com',
      fetch: server.fetch,
      transport: 'cookie',
      store,
    })
    await expect(reloaded.session.restore()).resolves.toEqual(user)
    const [refresh] = server.of('/api/auth/refresh')
    expect(refresh).toMatchObject({ body: '{"transport":"cookie"}', credentials: 'include' })
    await reloaded.session.logout()
    expect(saved).toBeUndefined()
    await expect(reloaded.session.restore()).resolves.toBeUndefined()
  })
})
