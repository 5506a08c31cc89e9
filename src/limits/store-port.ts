/** A policy as a store is asked about it: at most `points` admissions in `windowMs`. */
export type Limit = { name: string; points: number; windowMs: number }

export type Verdict = Limit & {
  /** Milliseconds after which this policy admits if nobody else comes; 0 when it has nothing against it now. */
  retryMs: number
  /** Points left, this request counted when it was admitted. */
  remaining: number
  /** Unix milliseconds: when the next point comes back. */
  resetAt: number
}

/** What a store decided; `at` names the admission in its own time. */
export type Taken = { admitted: boolean; at: number; verdicts: Verdict[] }

/** Where points are counted. Calls may fail in any way, and are given 250 ms. */
export type Store = {
  /** All limits admit, or nothing is counted. */
  take: (key: string, limits: Limit[]) => Promise<Taken>
  /** Undoes an admission, for the policies of its verdicts. */
  giveBack: (key: string, taken: Taken) => Promise<void>
}
