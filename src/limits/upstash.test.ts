import { createServer, type RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Limit } from './store-port.ts'
import { createUpstashStore } from './upstash.ts'

const limit: Limit = { name: 'global', points: 5, windowMs: 60_000 }

let close: () => void = () => {}

afterEach(() => {
  close()
  vi.useRealTimers()
})

const serve = async (listener: RequestListener, patience = 10_000) => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  close = () => server.close().closeAllConnections()
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return createUpstashStore({ url: `http://127.0.0.1:${port}`, token: 'secret', patience })
}

/** What the script of the SDK does in Redis, as its source says it. */
const slidingWindow = (
  counts: Map<string, number>,
  [, , , current = '', previous = '', ...args]: string[],
) => {
  const [tokens = 0, now = 0, window = 1, by = 0] = args.map(Number)
  const before = Math.floor((1 - (now % window) / window) * (counts.get(previous) ?? 0))
  if (by > 0 && before + (counts.get(current) ?? 0) >= tokens) return [-1, tokens]
  counts.set(current, (counts.get(current) ?? 0) + by)
  return [tokens - (counts.get(current) ?? 0) - before, tokens]
}

const redis = () => {
  const counts = new Map<string, number>()
  const requests: { path: string; token: string | undefined; command: string[] }[] = []
  const listener: RequestListener = (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const command = (JSON.parse(Buffer.concat(chunks).toString()) as unknown[]).map(String)
      requests.push({ path: req.url ?? '', token: req.headers.authorization, command })
      res.end(JSON.stringify({ result: slidingWindow(counts, command) }))
    })
  }
  return { requests, listener }
}

/** The middle of a bucket of a minute. */
const middle = 1_763_683_230_000

describe('the store in Upstash', () => {
  it('counts down, denies, and tells when the next bucket begins', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: middle })
    const { requests, listener } = redis()
    const store = await serve(listener)
    for (let n = 1; n <= 5; n++) {
      const { admitted, verdicts } = await store.take('ip:192.0.2.1', [limit])
      expect([admitted, verdicts]).toEqual([
        true,
        [{ ...limit, retryMs: 0, remaining: 5 - n, resetAt: middle + 30_000 }],
      ])
    }
    const { admitted, verdicts } = await store.take('ip:192.0.2.1', [limit])
    expect(admitted).toBe(false)
    expect(verdicts[0]).toMatchObject({ remaining: 0, retryMs: 30_100, resetAt: middle + 30_100 })
    expect(requests[0]).toMatchObject({ path: '/', token: 'Bearer secret' })
    expect(requests[0]?.command[3]).toBe(`selvedge:limit:global:ip:192.0.2.1:${Math.floor(middle / 60_000)}`)
    expect((await store.take('ip:192.0.2.2', [limit])).admitted).toBe(true)
  })

  it.each([0, 1, 15_000, 29_999])('admits whoever waits as long as it said, %i ms later', async (later) => {
    vi.useFakeTimers({ toFake: ['Date'], now: middle })
    const store = await serve(redis().listener)
    const take = () => store.take('ip:192.0.2.1', [limit])
    while ((await take()).admitted);
    for (let round = 0; round < 3; round++) {
      vi.setSystemTime(Date.now() + later)
      const { admitted, verdicts } = await take()
      if (admitted) continue
      vi.setSystemTime(Date.now() + (verdicts[0]?.retryMs ?? 0))
      expect((await take()).admitted).toBe(true)
      while ((await take()).admitted);
    }
  })

  it('takes a point back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: middle })
    const store = await serve(redis().listener)
    const taken = await store.take('ip:192.0.2.1', [limit])
    await store.giveBack('ip:192.0.2.1', taken)
    expect((await store.take('ip:192.0.2.1', [limit])).verdicts[0]?.remaining).toBe(4)
  })

  it('takes nothing of several limits when one denies', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: middle })
    const store = await serve(redis().listener)
    const narrow = { ...limit, name: 'narrow', points: 1 }
    expect((await store.take('k', [limit, narrow])).admitted).toBe(true)
    expect((await store.take('k', [limit, narrow])).admitted).toBe(false)
    expect((await store.take('k', [limit])).verdicts[0]?.remaining).toBe(3)
  })

  it('sends each command by itself: no request waits on another’s', async () => {
    const { requests, listener } = redis()
    const store = await serve(listener)
    await Promise.all(Array.from({ length: 4 }, (_, n) => store.take(`ip:192.0.2.${n}`, [limit])))
    expect(requests.map(({ path, command }) => [path, command[0]])).toEqual(Array(4).fill(['/', 'evalsha']))
  })

  it.each<[string, RequestListener, number?]>([
    ['an error', (_, res) => void res.writeHead(400).end('{"error":"ERR wrong"}')],
    ['what is not JSON', (_, res) => void res.writeHead(502).end('<html>')],
    ['nothing in time', async (_, res) => void (await sleep(5_000), res.end('{}')), 100],
    ['a cut connection', (req) => void req.destroy()],
  ])('fails, and does not admit, when Redis answers %s', async (_, listener, patience) => {
    const store = await serve(listener, patience)
    await expect(store.take('ip:192.0.2.1', [limit])).rejects.toThrow()
  })
})
