import { createAdmissionLog, type AdmissionLog } from './admission-log.ts'
import type { Limit, Taken, Verdict } from './store-port.ts'

/** A part of a policy's log as it is stored; the numbers of a policy's pages follow one another. */
export type Page = {
  policy: string
  number: number
  windowMs: number
  /** Milliseconds by which the clock has been set back in all. */
  skew: number
  times: Float64Array
}

/** What to store after a change; a page without times is to be deleted. */
export type Change = { policy: string; number: number; page: Page | undefined }

type Tracked = { log: AdmissionLog; windowMs: number }

const logsOf = (pages: readonly Page[]): Map<string, Tracked> => {
  const logs = new Map<string, Tracked>()
  for (const [policy, of] of Map.groupBy(pages, (page) => page.policy)) {
    const sorted = of.toSorted((a, b) => a.number - b.number)
    const times = Float64Array.from(sorted.flatMap((page) => [...page.times]))
    const { windowMs = 0 } = sorted.at(-1) ?? {}
    logs.set(policy, { log: createAdmissionLog(sorted[0]?.number, times), windowMs })
  }
  return logs
}

/**
 * Exact sliding windows of one key, one log of admission times for each policy, without I/O.
 *
 * An admission counts for as long as it is not more than `windowMs` old: no window of `windowMs` milliseconds, both
 * ends included, ever holds more than `points` admissions. A clock that tells whole milliseconds cannot be asked for less:
 * two readings that are `windowMs` apart may be moments that are not. Whoever stays within that is never refused.
 *
 * Memory: 8 bytes an admission in the window and at most 1,528 bytes a policy, so 81,528 bytes at 10,000 an hour; a
 * decision takes O(log n).
 *
 * When `now` is earlier than the last time, the difference is added to every later reading. Time then stands still for
 * a moment but never goes back, so that a clock that is set back admits nothing that it should not.
 */
export const createWindows = (pages: readonly Page[] = []) => {
  const logs = logsOf(pages)
  let skew = Math.max(0, ...pages.map((page) => page.skew))
  let latest = Math.max(-Infinity, ...[...logs.values()].map(({ log }) => log.newest(1)))

  const read = (now: number): number => {
    skew += Math.max(0, latest - (now + skew))
    latest = now + skew
    return latest
  }

  const track = ({ name, windowMs }: Limit): Tracked => {
    const tracked = logs.get(name) ?? { log: createAdmissionLog(), windowMs }
    // A policy's window may change from one deploy to the next; its admissions stay.
    tracked.windowMs = windowMs
    logs.set(name, tracked)
    return tracked
  }

  const changesOf = (policy: string, { log, windowMs }: Tracked, from: number, gone: number[]): Change[] => {
    const kept = Array.from({ length: log.endPage - from }, (_, n) => from + n)
    return [
      ...gone.map((number) => ({ policy, number, page: undefined })),
      ...kept.map((number) => ({
        policy,
        number,
        page: { policy, number, windowMs, skew, times: log.page(number) },
      })),
    ]
  }

  const waitOf = ({ name, points, windowMs }: Limit, at: number): number =>
    Math.max(0, (logs.get(name)?.log.newest(points) ?? -Infinity) + windowMs + 1 - at)

  const admit = (limit: Limit, at: number): Change[] => {
    const tracked = track(limit)
    const gone = tracked.log.forgetBefore(at - limit.windowMs)
    return changesOf(limit.name, tracked, tracked.log.add(at), gone)
  }

  const judge = (limit: Limit, retryMs: number, at: number): Verdict => {
    const { name, points, windowMs } = limit
    const log = logs.get(name)?.log
    const counted = log?.countSince(at - windowMs) ?? 0
    const next = counted === 0 ? at : (log?.newest(Math.min(counted, points)) ?? at) + windowMs + 1
    return { ...limit, retryMs, remaining: Math.max(0, points - counted), resetAt: next - skew }
  }

  return {
    /** All policies admit, or none counts anything. The names of the policies differ from each other. */
    take(limits: readonly Limit[], now: number): { taken: Taken; changes: Change[] } {
      const at = read(now)
      const waits = limits.map((limit) => waitOf(limit, at))
      const admitted = waits.every((wait) => wait === 0)
      const changes = admitted ? limits.flatMap((limit) => admit(limit, at)) : []
      const verdicts = limits.map((limit, n) => judge(limit, waits[n] ?? 0, at))
      return { taken: { admitted, at, verdicts }, changes }
    },

    /** Undoes the admission of `take` that was `at`, as if it had never been. Once for each admission. */
    giveBack(policies: readonly string[], at: number): Change[] {
      return policies.flatMap((policy) => {
        const tracked = logs.get(policy)
        const end = tracked?.log.endPage ?? 0
        const from = tracked?.log.remove(at)
        if (tracked === undefined || from === undefined) return []
        return changesOf(policy, tracked, from, tracked.log.endPage < end ? [end - 1] : [])
      })
    },

    /** Unix milliseconds: when nothing counts any more; -Infinity when there is nothing. */
    emptyAt: (): number =>
      Math.max(-Infinity, ...[...logs.values()].map(({ log, windowMs }) => log.newest(1) + windowMs + 1)) -
      skew,
  }
}

export type Windows = ReturnType<typeof createWindows>
