import type { LimitService } from '../limits/service.ts'

export type Verdict = Awaited<ReturnType<LimitService['take']>>[number]

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1_000)

const isDenial = ({ retryMs }: Verdict): boolean => retryMs > 0

/** The policy that will refuse first; of several that do already, the one that does longest. */
const tightest = (verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.toSorted((a, b) => b.retryMs - a.retryMs || a.remaining - b.remaining || b.resetAt - a.resetAt)[0]

/**
 * What a response says of its limits: `X-RateLimit-*` and `RateLimit` of the policy with the least remaining,
 * `RateLimit-Policy` of all that apply (draft-ietf-httpapi-ratelimit-headers-11), and for a denial `Retry-After`, after
 * which every policy admits. Reset is when the next point comes back. All seconds are rounded up.
 */
export const limitHeaders = (verdicts: readonly Verdict[], now: number): Record<string, string> => {
  const least = tightest(verdicts)
  if (least === undefined) return {}
  const { name, points, windowMs, remaining, resetAt, retryMs } = least
  const resetIn = isDenial(least) ? retryMs : Math.max(0, resetAt - now)
  return {
    'X-RateLimit-Limit': String(points),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(seconds(now + resetIn)),
    'RateLimit-Policy': verdicts
      .map((one) => `"${one.name}";q=${one.points};w=${seconds(one.windowMs)}`)
      .join(', '),
    RateLimit: `"${name}";r=${remaining};t=${seconds(Math.min(resetIn, windowMs))}`,
    ...(isDenial(least) ? { 'Retry-After': String(seconds(retryMs)) } : {}),
  }
}
