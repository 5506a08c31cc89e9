/** What a client saw of a request; times are Unix milliseconds. */
export type Seen = {
  sent: number
  received: number
  status: number
  remaining: number
  /** Unix seconds. */
  reset: number
  /** Seconds; NaN when the header was absent. */
  retryAfter: number
}

type Window = { points: number; windowMs: number }

/** Milliseconds by which two clocks of one machine may differ: the runtime's is a coarse one. */
const coarse = 5

/** Index of the first entry of an ascending list that is not less than `value`. */
const lowerBound = (sorted: readonly number[], value: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? value) < value) low = middle + 1
    else high = middle
  }
  return low
}

const countWithin = (log: readonly number[], from: number, to: number): number =>
  lowerBound(log, to + 1) - lowerBound(log, from)

/** The most admissions that any window, both ends included, held. `log` is ascending. */
export const mostInAWindow = (log: readonly number[], windowMs: number): number =>
  Math.max(0, ...log.map((from) => countWithin(log, from, from + windowMs)))

/**
 * The most requests that were surely let through within one window: sent after its beginning and answered before its
 * end. Needs no word of the server's, and misses what is closer to an edge than a round trip.
 */
export const mostSurelyInAWindow = (seen: readonly Seen[], windowMs: number): number => {
  const admitted = seen.filter(({ status }) => status !== 429)
  const inside = (from: number) =>
    admitted.filter(({ sent, received }) => sent >= from && received <= from + windowMs).length
  return Math.max(0, ...admitted.map(({ sent }) => inside(sent)))
}

/** Refusals during which the window was full at no moment. */
export const wronglyRefused = (
  log: readonly number[],
  seen: readonly Seen[],
  { points, windowMs }: Window,
): number => {
  // From its last admission on, until its first has expired, each full window refuses.
  const full = log.flatMap((first, n) => {
    const last = log[n + points - 1]
    return last !== undefined && last - first <= windowMs ? [{ from: last, to: first + windowMs }] : []
  })
  return seen.filter(
    ({ status, sent, received }) =>
      status === 429 && !full.some(({ from, to }) => received >= from - coarse && sent <= to + coarse),
  ).length
}

/** Admitted requests whose headers fit no admission of the log that happened between sending and answer. */
export const wrongHeaders = (
  log: readonly number[],
  seen: readonly Seen[],
  { points, windowMs }: Window,
): Seen[] => {
  const entries = log.map((at, n) => {
    const oldest = lowerBound(log, at - windowMs)
    // Of several admissions in one millisecond each saw those before it.
    const counted = n - oldest + 1
    return { at, remaining: points - counted, reset: Math.ceil(((log[oldest] ?? at) + windowMs + 1) / 1_000) }
  })
  return seen.filter(({ status, sent, received, remaining, reset }) => {
    if (status === 429) return false
    const candidates = entries.slice(lowerBound(log, sent - coarse), lowerBound(log, received + coarse))
    return !candidates.some((entry) => entry.remaining === remaining && Math.abs(entry.reset - reset) <= 1)
  })
}
