import { describe, expect, it } from 'vitest'
import { mostInAWindow, mostSurelyInAWindow, wrongHeaders, wronglyRefused, type Seen } from './admissions.ts'

const window = { points: 3, windowMs: 1_000 }

const seen = (at: number, change: Partial<Seen> = {}): Seen => ({
  ...{ sent: at - 2, received: at + 2, status: 200, remaining: 0, reset: 0, retryAfter: NaN },
  ...change,
})

describe('the checks of the proof', () => {
  it('find what a fixed window lets through around its edge', () => {
    const log = [900, 950, 999, 1_000, 1_050, 1_090]
    expect(mostInAWindow(log, 1_000)).toBe(6)
    expect(
      mostSurelyInAWindow(
        log.map((at) => seen(at)),
        1_000,
      ),
    ).toBe(6)
  })

  it('count both ends of a window, and nothing beyond', () => {
    expect(mostInAWindow([0, 500, 1_000], 1_000)).toBe(3)
    expect(mostInAWindow([0, 500, 1_001], 1_000)).toBe(2)
    expect(mostSurelyInAWindow([seen(0), seen(500), seen(1_000)], 1_000)).toBe(2)
  })

  it('tell refusals while the window was full from others', () => {
    const log = [0, 100, 200, 1_300]
    const refused = (at: number) => seen(at, { status: 429 })
    expect(wronglyRefused(log, [refused(250), refused(999)], window)).toBe(0)
    expect(wronglyRefused(log, [refused(50), refused(1_100), refused(1_400)], window)).toBe(3)
  })

  it('find headers that no admission can have brought', () => {
    const log = [10_000, 10_100, 11_050]
    const right = [
      seen(10_000, { remaining: 2, reset: 12 }),
      seen(10_100, { remaining: 1, reset: 12 }),
      seen(11_050, { remaining: 1, reset: 12 }),
    ]
    expect(wrongHeaders(log, right, window)).toEqual([])
    const wrong = [
      seen(10_000, { remaining: 1, reset: 12 }),
      seen(10_100, { remaining: 1, reset: 20 }),
      seen(20_000),
    ]
    expect(wrongHeaders(log, wrong, window)).toEqual(wrong)
  })
})
