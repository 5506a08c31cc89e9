import { createServer } from 'node:http'
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import { describe, expect, it } from 'vitest'
import { onBothRedis, upstash } from '../../test/support/redis-server.ts'
import { listen } from '../neon/listen.ts'

const LIMITERS = [
  ['slidingWindow', Ratelimit.slidingWindow(10, '1000 d')],
  ['fixedWindow', Ratelimit.fixedWindow(10, '1000 d')],
  ['tokenBucket', Ratelimit.tokenBucket(1, '1000 d', 10)],
] as const

onBothRedis('@upstash/ratelimit', (redis) => {
  describe.each(LIMITERS)('%s', (_name, limiter) => {
    // Without its cache, so that Redis decides each time.
    const open = () =>
      new Ratelimit({ redis: upstash(redis()), limiter, prefix: 'rl', ephemeralCache: false })

    it('admits its limit and blocks what is above it, each identifier for itself', async () => {
      const limit = open()
      for (let left = 9; left >= 0; left -= 1) {
        expect(await limit.limit('ip')).toMatchObject({ success: true, limit: 10, remaining: left })
      }
      const denied = await limit.limit('ip')
      expect(denied).toMatchObject({ success: false, remaining: 0 })
      expect(denied.reset).toBeGreaterThan(Date.now())
      expect((await limit.limit('other')).success).toBe(true)
    })

    it('says how many remain, and forgets what was used', async () => {
      const limit = open()
      for (let used = 0; used < 4; used += 1) await limit.limit('ip')
      expect(await limit.getRemaining('ip')).toMatchObject({ remaining: 6, limit: 10 })
      await limit.resetUsedTokens('ip')
      expect((await limit.getRemaining('ip')).remaining).toBe(10)
      expect((await limit.limit('ip')).remaining).toBe(9)
    })

    it('takes several tokens at a time, and gives them back', async () => {
      const limit = open()
      expect((await limit.limit('ip', { rate: 8 })).remaining).toBe(2)
      expect((await limit.limit('ip', { rate: -3 })).remaining).toBe(5)
    })

    it('admits its limit in total over many instances at once', async () => {
      const instances = Array.from({ length: 5 }, open)
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, at) => instances[at % 5]!.limit('shared')),
      )
      expect(outcomes.filter(({ success }) => success)).toHaveLength(10)
    })

    it('admits again when the window is over', async () => {
      const short = { slidingWindow: Ratelimit.slidingWindow, fixedWindow: Ratelimit.fixedWindow }
      if (!(_name in short)) return
      const window = short[_name as keyof typeof short](2, '300 ms')
      const limit = new Ratelimit({ redis: upstash(redis()), limiter: window, ephemeralCache: false })
      await Promise.all([limit.limit('ip'), limit.limit('ip'), limit.limit('ip')])
      await expect.poll(async () => (await limit.limit('ip')).success, { timeout: 10_000 }).toBe(true)
    })
  })

  it('loads a script once, then runs it by its SHA-1', async () => {
    const client = upstash(redis())
    const commands: unknown[] = []
    client.use((sent, next) => {
      commands.push([sent.body].flat(2)[0])
      return next(sent)
    })
    await client.scriptFlush()
    const limit = new Ratelimit({ redis: client, limiter: Ratelimit.slidingWindow(10, '1000 d') })
    for (let used = 0; used < 3; used += 1) await limit.limit('ip')
    expect(commands.slice(1)).toEqual(['evalsha', 'eval', 'evalsha', 'evalsha'])
  })

  it('uses its dynamic limit', async () => {
    const limiter = Ratelimit.slidingWindow(10, '1000 d')
    const dynamic = new Ratelimit({
      redis: upstash(redis()),
      limiter,
      dynamicLimits: true,
      ephemeralCache: false,
    })
    await dynamic.setDynamicLimit({ limit: 2 })
    expect(await dynamic.limit('ip')).toMatchObject({ success: true, limit: 2, remaining: 1 })
    expect(await dynamic.getDynamicLimit()).toEqual({ dynamicLimit: 2 })
  })
})

describe('@upstash/ratelimit on a Redis that does not answer', () => {
  it('lets the request pass after its timeout, and says so', async () => {
    const silent = createServer(() => undefined)
    const port = await listen(silent)
    const client = new Redis({
      url: `http://127.0.0.1:${port}`,
      token: 'x',
      retry: false,
      enableTelemetry: false,
      signal: () => AbortSignal.timeout(500),
    })
    const limit = new Ratelimit({ redis: client, limiter: Ratelimit.slidingWindow(1, '1000 d'), timeout: 50 })
    expect(await limit.limit('ip')).toMatchObject({ success: true, reason: 'timeout' })
    silent.closeAllConnections()
    silent.close()
  })
})
