import { describe, expect, it } from 'vitest'
import { limitHeaders } from './limit-headers.ts'

const now = 1_763_683_200_500

const verdict = (name: string, change: object = {}) => ({
  ...{ name, points: 100, windowMs: 60_000, retryMs: 0, remaining: 50, resetAt: now + 30_000 },
  ...change,
})

describe('limitHeaders', () => {
  it('tells all policies and the one with the least remaining, seconds rounded up', () => {
    const login = verdict('login', { points: 5, windowMs: 900_000, remaining: 3, resetAt: now + 880_001 })
    expect(limitHeaders([verdict('global'), login], now)).toEqual({
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Remaining': '3',
      'X-RateLimit-Reset': '1763684081',
      'RateLimit-Policy': '"global";q=100;w=60, "login";q=5;w=900',
      RateLimit: '"login";r=3;t=881',
    })
  })

  it('of a denial tell the policy that denies longest, and a wait that suffices for all', () => {
    const spent = verdict('spent', { remaining: 0, resetAt: now + 59_000 })
    const short = verdict('short', { remaining: 0, retryMs: 1 })
    const long = verdict('long', { remaining: 0, retryMs: 2_001 })
    expect(limitHeaders([spent, short, long], now)).toMatchObject({
      'Retry-After': '3',
      RateLimit: '"long";r=0;t=3',
      'X-RateLimit-Reset': '1763683203',
    })
  })

  it('never tell an effective window beyond the policy’s own, nor one in the past', () => {
    expect(limitHeaders([verdict('a', { resetAt: now + 60_001 })], now)['RateLimit']).toBe('"a";r=50;t=60')
    expect(limitHeaders([verdict('a', { resetAt: now - 10 })], now)['RateLimit']).toBe('"a";r=50;t=0')
  })

  it('are none when no store could be asked', () => expect(limitHeaders([], now)).toEqual({}))
})
