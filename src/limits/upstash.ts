import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import type { Limit, Store, Taken, Verdict } from './store-port.ts'

type Settings = {
  url: string
  token: string
  /** Milliseconds that a call may take. */
  patience: number
}

/**
 * After `reset` the bucket that was full weighs a little less than its whole: `points - 1`, once a millisecond has
 * passed. Clocks of isolates differ by a few, so a tenth of a second is added.
 */
const slack = 100

const verdictOf = (limit: Limit, reply: { success: boolean; remaining: number; reset: number }): Verdict => ({
  ...limit,
  retryMs: reply.success ? 0 : Math.max(0, reply.reset - Date.now()) + slack,
  remaining: Math.max(0, reply.remaining),
  resetAt: reply.success ? reply.reset : reply.reset + slack,
})

/**
 * Counts in Upstash Redis. Its sliding window is an approximation: the requests of the bucket before count by the share
 * of it that the window still covers, as if they had come evenly. Keys are
 * `selvedge:limit:<policy>:<key>:<bucket>` and live for two windows and a second.
 */
export const createUpstashStore = ({ url, token, patience }: Settings): Store => {
  const redis = new Redis({
    url,
    token,
    retry: false,
    signal: () => AbortSignal.timeout(patience),
    // It would collect the commands of several requests into one call, and no request may wait on another's I/O.
    enableAutoPipelining: false,
    readYourWrites: false,
    enableTelemetry: false,
  })

  const limiterOf = ({ name, points, windowMs }: Limit) =>
    new Ratelimit({
      redis,
      limiter: Ratelimit.slidingWindow(points, `${windowMs} ms`),
      prefix: `selvedge:limit:${name}`,
      // Its time-out would admit, its cache would be a second memory of denials: both are for the caller to decide.
      timeout: 0,
      ephemeralCache: false,
      analytics: false,
    })

  const undo = async (key: string, limits: readonly Limit[]): Promise<void> => {
    await Promise.all(limits.map((limit) => limiterOf(limit).limit(key, { rate: -1 })))
  }

  return {
    async take(key, limits): Promise<Taken> {
      const verdicts = await Promise.all(
        limits.map(async (limit) => verdictOf(limit, await limiterOf(limit).limit(key))),
      )
      const admitted = verdicts.every(({ retryMs }) => retryMs === 0)
      if (!admitted)
        await undo(
          key,
          verdicts.filter(({ retryMs }) => retryMs === 0),
        )
      return { admitted, at: Date.now(), verdicts }
    },

    giveBack: async (key, { verdicts }) => await undo(key, verdicts),
  }
}
