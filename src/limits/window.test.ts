import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Limit, Taken } from './store-port.ts'
import { createWindows, type Change, type Page } from './window.ts'

const minute = 60_000
const start = 1_763_683_200_000

const limit = (points: number, windowMs: number, name = 'global'): Limit => ({ name, points, windowMs })

/** The log that nobody would store: every admission, looked through for every decision. */
const createNaive = () => {
  const logs = new Map<string, number[]>()
  const counted = ({ name, windowMs }: Limit, at: number) =>
    (logs.get(name) ?? []).filter((time) => at - time <= windowMs)
  return {
    take(limits: Limit[], at: number) {
      const admitted = limits.every((one) => counted(one, at).length < one.points)
      if (admitted) for (const { name } of limits) logs.set(name, [...(logs.get(name) ?? []), at])
      return { admitted, remaining: limits.map((one) => one.points - counted(one, at).length) }
    },
    giveBack(names: string[], at: number) {
      for (const name of names) {
        const log = logs.get(name) ?? []
        if (log.includes(at)) log.splice(log.indexOf(at), 1)
      }
    },
  }
}

/** What the object's storage does. */
const createDisk = () => {
  const pages = new Map<string, Page>()
  return {
    pages,
    save(changes: Change[]) {
      for (const { policy, number, page } of changes) {
        if (page === undefined) pages.delete(`${policy} ${number}`)
        else pages.set(`${policy} ${number}`, structuredClone(page))
      }
    },
    load: () => createWindows([...pages.values()]),
  }
}

/** The most admissions that any window of `windowMs`, both ends included, holds. */
const most = (times: readonly number[], windowMs: number): number =>
  Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time - from <= windowMs).length))

const policies = [limit(3, 50, 'a'), limit(5, 200, 'b'), limit(1, 20, 'c')]

const step = fc.record({
  wait: fc.oneof(fc.nat(60), fc.constantFrom(0, 1, 19, 20, 21, 50, 51, 200, 201)),
  names: fc.subarray(policies, { minLength: 1 }),
  /** After the decision: give an earlier admission back, or forget everything but the disk. */
  afterwards: fc.constantFrom('nothing', 'nothing', 'nothing', 'give back', 'evict'),
  which: fc.nat(),
})

describe('the window', () => {
  it('decides as a naive log does, whatever is given back and whenever memory is lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const naive = createNaive()
        const disk = createDisk()
        let windows = disk.load()
        let now = start
        const takens: Taken[] = []
        for (const { wait, names, afterwards, which } of steps) {
          now += wait
          const { taken, changes } = windows.take(names, now)
          disk.save(changes)
          const expected = naive.take(names, now)
          expect(taken.admitted).toBe(expected.admitted)
          expect(taken.verdicts.map(({ remaining }) => remaining)).toEqual(expected.remaining)
          if (taken.admitted) takens.push(taken)
          if (afterwards === 'evict') windows = disk.load()
          if (afterwards === 'give back' && takens.length > 0) {
            const [given] = takens.splice(which % takens.length, 1)
            const of = given!.verdicts.map(({ name }) => name)
            disk.save(windows.giveBack(of, given!.at))
            naive.giveBack(of, given!.at)
          }
        }
        for (const policy of policies) {
          const times = takens.filter(({ verdicts }) => verdicts.some(({ name }) => name === policy.name))
          expect(
            most(
              times.map(({ at }) => at),
              policy.windowMs,
            ),
          ).toBeLessThanOrEqual(policy.points)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('tells a wait that suffices, and not a millisecond more than that', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const disk = createDisk()
        const windows = disk.load()
        let now = start
        for (const { wait, names } of steps) {
          now += wait
          const { taken, changes } = windows.take(names, now)
          disk.save(changes)
          if (taken.admitted) continue
          const retryMs = Math.max(...taken.verdicts.map((verdict) => verdict.retryMs))
          expect(disk.load().take(names, now + retryMs).taken.admitted).toBe(true)
          expect(disk.load().take(names, now + retryMs - 1).taken.admitted).toBe(false)
        }
      }),
    )
  })

  it('admits no more than its limit in real time, however the clock jumps back', () => {
    const jump = fc.record({
      wait: fc.nat(80),
      back: fc.oneof(fc.constant(0), fc.nat(10_000)),
      evict: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 150 }), (jumps) => {
        const disk = createDisk()
        let windows = disk.load()
        let real = start
        let error = 0
        const admitted: number[] = []
        for (const { wait, back, evict } of jumps) {
          real += wait
          error -= back
          const { taken, changes } = windows.take([limit(4, 100)], real + error)
          disk.save(changes)
          if (taken.admitted) admitted.push(real)
          if (evict) windows = disk.load()
        }
        expect(most(admitted, 100)).toBeLessThanOrEqual(4)
      }),
    )
  })

  it('goes on counting time when the clock has been set back', () => {
    const windows = createWindows()
    const one = [limit(1, 100)]
    expect(windows.take(one, start).taken.admitted).toBe(true)
    const hourAgo = start - 3_600_000
    expect(windows.take(one, hourAgo).taken.verdicts[0]).toMatchObject({
      retryMs: 101,
      resetAt: hourAgo + 101,
    })
    expect(windows.take(one, hourAgo + 100).taken.admitted).toBe(false)
    expect(windows.take(one, hourAgo + 101).taken.admitted).toBe(true)
  })

  it('refuses nobody who stays within the limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(30), { maxLength: 200 }),
        (points, waits) => {
          const windows = createWindows()
          const times: number[] = []
          let now = start
          for (const wait of waits) {
            now += wait
            if (most([...times, now], 100) > points) continue
            times.push(now)
            expect(windows.take([limit(points, 100)], now).taken.admitted).toBe(true)
          }
        },
      ),
    )
  })
})

describe('the check of this file', () => {
  it('finds a fixed window that admits twice its limit around an edge', () => {
    const counts = [0, 0]
    const admitted = Array.from({ length: 100 }, (_, n) => 500 + n * 10).filter((time) => {
      const window = Math.floor(time / 1_000)
      counts[window] = (counts[window] ?? 0) + 1
      return counts[window] <= 50
    })
    expect(most(admitted, 1_000)).toBe(100)
  })
})

describe('a denial', () => {
  it('costs nothing, for no policy', () => {
    const windows = createWindows()
    const [wide, narrow] = [limit(3, minute, 'wide'), limit(1, minute, 'narrow')]
    windows.take([wide, narrow], start)
    for (let n = 0; n < 10; n++) {
      const { taken, changes } = windows.take([wide, narrow], start + n)
      expect(taken.admitted).toBe(false)
      expect(taken.verdicts.map(({ remaining }) => remaining)).toEqual([2, 0])
      expect(taken.verdicts.map(({ retryMs }) => retryMs)).toEqual([0, minute + 1 - n])
      expect(changes).toEqual([])
    }
    expect(windows.take([wide], start + 10).taken.admitted).toBe(true)
  })
})

describe('remaining and reset', () => {
  it('count down, and name the moment when a point comes back', () => {
    const windows = createWindows()
    const [first, second] = [
      windows.take([limit(2, minute)], start),
      windows.take([limit(2, minute)], start + 500),
    ]
    expect(first.taken.verdicts).toEqual([
      { ...limit(2, minute), retryMs: 0, remaining: 1, resetAt: start + minute + 1 },
    ])
    expect(second.taken.verdicts[0]).toMatchObject({ remaining: 0, resetAt: start + minute + 1 })
    const denied = windows.take([limit(2, minute)], start + 1_000).taken.verdicts[0]
    expect(denied).toMatchObject({ remaining: 0, retryMs: minute - 999, resetAt: start + minute + 1 })
  })

  it('of a policy that counts nothing yet are the whole limit, now', () => {
    const windows = createWindows()
    windows.take([limit(1, minute, 'other')], start)
    const { verdicts } = windows.take([limit(1, minute, 'other'), limit(9, minute)], start).taken
    expect(verdicts[1]).toMatchObject({ remaining: 9, resetAt: start, retryMs: 0 })
  })
})

describe('a limit that a deploy changes', () => {
  it('holds at once when it is lower', () => {
    const windows = createWindows()
    for (let n = 0; n < 5; n++) windows.take([limit(5, minute)], start + n)
    const { admitted, verdicts } = windows.take([limit(2, minute)], start + 10).taken
    expect(admitted).toBe(false)
    expect(verdicts[0]).toMatchObject({ remaining: 0, resetAt: start + 3 + minute + 1 })
    expect(windows.take([limit(2, minute)], start + 3 + minute + 1).taken.admitted).toBe(true)
  })

  it('keeps what was admitted when it is higher, or its window longer or shorter', () => {
    const windows = createWindows()
    for (let n = 0; n < 2; n++) windows.take([limit(2, minute)], start)
    expect(windows.take([limit(3, minute)], start).taken.verdicts[0]?.remaining).toBe(0)
    expect(windows.take([limit(3, 2 * minute)], start + minute + 1).taken.admitted).toBe(false)
    expect(windows.take([limit(3, 1_000)], start + 1_001).taken.admitted).toBe(true)
  })
})

describe('what is stored', () => {
  const hourly = limit(10_000, 3_600_000)

  it('at 10,000 an hour is at most 100 KB, in pages that an admission rewrites one of', () => {
    const disk = createDisk()
    const windows = disk.load()
    let largest = 0
    for (let n = 0; n < 25_000; n++) {
      const { taken, changes } = windows.take([hourly], start + n * 361)
      expect(taken.admitted).toBe(true)
      expect(changes.filter(({ page }) => page !== undefined)).toHaveLength(1)
      disk.save(changes)
      const bytes = [...disk.pages.values()].reduce((sum, { times }) => sum + times.byteLength, 0)
      largest = Math.max(largest, bytes)
    }
    expect(largest).toBeGreaterThan(79_000)
    expect(largest).toBeLessThanOrEqual(8 * (10_000 + 64))
    const again = disk.load().take([hourly], start + 25_000 * 361).taken
    expect(again).toEqual(windows.take([hourly], start + 25_000 * 361).taken)
  })

  it('tells when it may be deleted', () => {
    const windows = createWindows()
    expect(windows.emptyAt()).toBe(-Infinity)
    windows.take([limit(9, minute), limit(9, 1_000, 'short')], start)
    expect(windows.emptyAt()).toBe(start + minute + 1)
    windows.giveBack(['global'], start)
    expect(windows.emptyAt()).toBe(start + 1_001)
  })

  it('loses a page whose only admission is given back', () => {
    const disk = createDisk()
    const windows = disk.load()
    const wide = limit(1_000, minute)
    for (let n = 0; n < 65; n++) disk.save(windows.take([wide], start + n).changes)
    expect(disk.pages.size).toBe(2)
    disk.save(windows.giveBack(['global'], start + 3))
    expect(disk.pages.size).toBe(1)
    expect(disk.load().take([wide], start + 65).taken.verdicts[0]?.remaining).toBe(1_000 - 65)
  })
})
