import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEndpoint } from './endpoint.ts'
import type { SqlEngine, SqlRequest } from './engine.ts'

const HEADERS = {
  'neon-connection-string': 'postgres://user:password@host/database',
  'neon-raw-text-output': 'true',
  'neon-array-mode': 'true',
}

const without = (name: keyof typeof HEADERS) =>
  Object.fromEntries(Object.entries(HEADERS).filter(([header]) => header !== name))

type Endpoint = Awaited<ReturnType<typeof startEndpoint>>

const seen: SqlRequest[] = []
const log: string[] = []
const hanging = Promise.withResolvers<void>()
const aborted = Promise.withResolvers<void>()

// What PostgreSQL answers is proved with the real driver; here it only matters what the endpoint makes of it.
const engine: SqlEngine = {
  run: async (asked, signal) => {
    seen.push(asked)
    const query = asked.statements[0]?.query
    if (query === 'refuse') throw new Error('the server is gone')
    if (query === 'hang') {
      signal.addEventListener('abort', () => aborted.resolve())
      await hanging.promise
    }
    return asked.statements.map(() => ({ fields: [], rows: [['1']], command: 'SELECT', rowCount: 1 }))
  },
  close: async () => undefined,
}

describe('the HTTP endpoint', () => {
  let endpoint: Endpoint
  beforeAll(async () => {
    endpoint = await startEndpoint({ engine, log: (line) => log.push(line), bodyLimit: 1_000, drainMs: 100 })
  })
  afterAll(() => endpoint.close())

  const post = (body: string, headers: Record<string, string> = HEADERS) =>
    fetch(endpoint.url, { method: 'POST', body, headers })

  it('answers a single query and a batch in their shapes', async () => {
    const result = { fields: [], rows: [['1']], command: 'SELECT', rowCount: 1, rowAsArray: true }
    expect(await (await post('{"query":"a","params":["1"]}')).json()).toEqual(result)
    expect(await (await post('{"queries":[{"query":"a"},{"query":"b"}]}')).json()).toEqual({
      results: [result, result],
    })
  })

  it('reads the modes of a batch, and ignores them for a single query', async () => {
    const modes = { 'neon-batch-isolation-level': 'RepeatableRead', 'neon-batch-read-only': 'true' }
    await post('{"queries":[{"query":"a"}]}', { ...HEADERS, ...modes })
    await post('{"query":"a"}', { ...HEADERS, ...modes })
    expect(seen.at(-2)?.transaction).toEqual({
      isolation: 'REPEATABLE READ',
      readOnly: true,
      deferrable: false,
    })
    expect(seen.at(-1)?.transaction).toBeUndefined()
  })

  it.each([
    ['no JSON', '{"query":', 'the body is not JSON'],
    ['no object', '[]', 'the body must be {query, params} or {queries: [...]}'],
    ['no query', '{"params":[]}', 'body.query must be a string'],
    ['parameters that are no array', '{"query":"a","params":{}}', 'body.params must be an array'],
    ['a NUL byte in the text', '{"query":"a\\u0000b"}', 'body.query must not contain a NUL byte'],
    ['queries that are no array', '{"queries":{}}', 'queries must be an array'],
    ['a query that is no object', '{"queries":[{"query":"a"},"b"]}', 'queries[1] must be an object'],
  ])('answers 400 and says why: %s', async (_name, body, message) => {
    const response = await post(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ message: expect.stringContaining(message) })
  })

  it.each(Object.keys(HEADERS) as (keyof typeof HEADERS)[])(
    'answers 400 without the header %s',
    async (name) => {
      const response = await post('{"query":"a"}', without(name))
      expect(response.status).toBe(400)
      expect(await response.json()).toEqual({ message: expect.stringContaining(name) })
    },
  )

  it('answers 400 for an isolation level or a flag that there is not', async () => {
    const batch = '{"queries":[{"query":"a"}]}'
    const level = await post(batch, { ...HEADERS, 'neon-batch-isolation-level': 'Chaos' })
    const flag = await post(batch, { ...HEADERS, 'neon-batch-read-only': 'maybe' })
    expect([level.status, flag.status]).toEqual([400, 400])
  })

  it('answers 404 and 405 elsewhere, and 403 for a name that was rebound to this machine', async () => {
    const { port } = new URL(endpoint.url)
    const evil = new Promise((resolve) => {
      const rebound = {
        method: 'POST',
        port,
        host: '127.0.0.1',
        path: '/sql',
        headers: { host: 'evil.example' },
      }
      request(rebound, (response) => resolve(response.statusCode)).end('{}')
    })
    expect((await fetch(new URL('/other', endpoint.url), { method: 'POST' })).status).toBe(404)
    expect((await fetch(endpoint.url)).status).toBe(405)
    expect(await evil).toBe(403)
  })

  it('answers 413 for a body over the bound, declared or not', async () => {
    const large = JSON.stringify({ query: 'x'.repeat(2_000) })
    expect((await post(large)).status).toBe(413)
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(large))
        controller.close()
      },
    })
    expect(
      (await fetch(endpoint.url, { method: 'POST', headers: HEADERS, body, duplex: 'half' })).status,
    ).toBe(413)
  })

  it('answers 503 and logs when the engine cannot ask the database', async () => {
    const response = await post('{"query":"refuse"}')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ message: 'the server is gone' })
    expect(log).toEqual(['database: the server is gone'])
  })

  it('tells the engine when the client has gone', async () => {
    const gone = new AbortController()
    const abandoned = fetch(endpoint.url, {
      method: 'POST',
      headers: HEADERS,
      body: '{"query":"hang"}',
      signal: gone.signal,
    })
    while (seen.at(-1)?.statements[0]?.query !== 'hang') await new Promise(setImmediate)
    gone.abort()
    await expect(abandoned).rejects.toThrow('aborted')
    await aborted.promise
    hanging.resolve()
  })

  it('lets a request in flight end before it closes, and takes no more', async () => {
    const own = await startEndpoint({ engine: slow.engine, log: () => undefined })
    const answer = fetch(own.url, { method: 'POST', headers: HEADERS, body: '{"query":"slow"}' })
    await slow.started
    const closed = own.close()
    await expect(fetch(own.url, { method: 'POST' })).rejects.toThrow('fetch failed')
    slow.finish()
    expect((await answer).status).toBe(200)
    await closed
  })

  it('drops a request that does not end in time', async () => {
    const own = await startEndpoint({ engine: stuck.engine, log: () => undefined, drainMs: 50 })
    const answer = fetch(own.url, { method: 'POST', headers: HEADERS, body: '{"query":"stuck"}' })
    const outcome = expect(answer).rejects.toThrow('fetch failed')
    await stuck.started
    await own.close()
    await outcome
  })
})

const gated = () => {
  const started = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  const run: SqlEngine['run'] = async () => {
    started.resolve()
    await finished.promise
    return [{ fields: [], rows: [], command: 'SELECT', rowCount: 0 }]
  }
  return { engine: { run, close: async () => undefined }, started: started.promise, finish: finished.resolve }
}
const slow = gated()
const stuck = gated()
