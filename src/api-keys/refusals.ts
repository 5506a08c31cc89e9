import { createBoundedMap } from '../shared/bounded-map.ts'
import type { Admission } from './protocol.ts'

/** Keys that are remembered; beyond that the oldest is asked about again. */
const maxKeys = 10_000

/** Milliseconds: whoever gets more from now on waits no longer than this for it. */
const memory = 2_000

export type Refusal = Exclude<Admission, { outcome: 'unknowable' }>

/**
 * Refusals of this isolate, each for two seconds: a key that has ended, or has no point left, costs no calls however
 * often it is sent. Never an admission: only the object can tell.
 */
export const createRefusals = () => {
  const refusals = createBoundedMap<string, { at: number; refusal: Refusal }>(maxKeys)
  return {
    remember: (hash: string, refusal: Refusal, now: number): void => refusals.set(hash, { at: now, refusal }),

    recall(hash: string, now: number): Refusal | undefined {
      const found = refusals.get(hash)
      if (found === undefined) return undefined
      const { at, refusal } = found
      const left = 'verdict' in refusal ? refusal.verdict.retryMs - (now - at) : memory
      if (now - at < memory && left > 0) {
        return 'verdict' in refusal ? { ...refusal, verdict: { ...refusal.verdict, retryMs: left } } : refusal
      }
      refusals.delete(hash)
      return undefined
    },
  }
}
