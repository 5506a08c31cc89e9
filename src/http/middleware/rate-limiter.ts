import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { AppError } from '../../shared/errors.ts'
import type { LimitService } from '../../limits/service.ts'
import type { Quota } from '../../shared/policies.ts'
import type { AppEnv } from '../context.ts'
import { limitHeaders, type Verdict } from '../limit-headers.ts'

type Check = Parameters<LimitService['take']>[0][number]

type Policy = Quota &
  Pick<Check, 'name' | 'store' | 'failMode'> & {
    /** Who is counted; undefined where the policy does not apply. */
    keyGenerator: (c: Context<AppEnv>) => string | undefined | Promise<string | undefined>
  }

const checksOf = async (c: Context<AppEnv>, policies: readonly Policy[]): Promise<Check[]> => {
  const checks: Check[] = []
  for (const { name, points, duration, keyGenerator, store, failMode } of policies) {
    const key = await keyGenerator(c)
    if (key !== undefined) checks.push({ name, points, windowMs: duration * 1_000, key, store, failMode })
  }
  return checks
}

/** Every response tells of it. @throws RATE_LIMITED */
export const meet = (c: Context<AppEnv>, verdicts: readonly Verdict[]): void => {
  const met = [...(c.var.limits ?? []), ...verdicts]
  c.set('limits', met)
  if (verdicts.every(({ retryMs }) => retryMs === 0)) return
  throw new AppError('RATE_LIMITED', 'Too many requests: wait as long as Retry-After says', {
    headers: limitHeaders(met, Date.now()),
  })
}

/**
 * Admits a request when all policies have a point for it, else 429; a denial costs no policy anything. Policies that
 * agree in store and key are one call, all others are asked at once. Every response tells the policy with the least
 * remaining, of all limiters that it has passed.
 */
export const rateLimiter = (...policies: Policy[]) =>
  createMiddleware<AppEnv>(async function rateLimiter(c, next) {
    const checks = await checksOf(c, policies)
    if (checks.length > 0) meet(c, await c.var.services.limits.take(checks))
    await next()
    const { headers } = c.res // `c.header` would copy the finished response, each time
    for (const [name, value] of Object.entries(limitHeaders(c.var.limits ?? [], Date.now())))
      headers.set(name, value)
  })
