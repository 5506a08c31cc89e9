import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backoff } from './backoff.ts'

it('waits between nothing and the doubled base, never longer than the cap', () => {
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.nat(100), share, (attempt, random) => {
      const wait = backoff(attempt, { base: 50, cap: 2_000, random: () => random })
      expect(wait).toBeGreaterThanOrEqual(0)
      expect(wait).toBeLessThanOrEqual(Math.min(2_000, 50 * 2 ** attempt))
    }),
  )
})
