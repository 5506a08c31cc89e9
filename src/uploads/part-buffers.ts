import { sleep } from '../shared/backoff.ts'
import { AppError } from '../shared/errors.ts'

/** Milliseconds after which a holder that says nothing is gone: its request was cut off before it could let go. */
const life = 60_000

/** Milliseconds between two looks, at most; requests that share no promise can only look. */
const gap = 100

type Settings = { limit?: number; patience?: number; wait?: typeof sleep; now?: () => number }

export type PartBuffers = ReturnType<typeof createPartBuffers>

export type HeldBuffer = { touch: () => void; release: () => void }

/**
 * How many requests of this isolate may hold a part in memory at a time. Only numbers are shared between requests: the
 * runtime lets none of them wait for another's promise.
 */
export const createPartBuffers = ({
  limit = 8,
  patience = 30_000,
  wait = sleep,
  now = Date.now,
}: Settings = {}) => {
  const heldUntil = new Map<symbol, number>()

  const tryTake = (): HeldBuffer | undefined => {
    for (const [holder, until] of heldUntil) if (until <= now()) heldUntil.delete(holder)
    if (heldUntil.size >= limit) return undefined
    const holder = Symbol('holder')
    const touch = () => void heldUntil.set(holder, now() + life)
    touch()
    return { touch, release: () => void heldUntil.delete(holder) }
  }

  return {
    /** @throws UNAVAILABLE when none has become free in time */
    async take(): Promise<HeldBuffer> {
      const deadline = now() + patience
      for (;;) {
        const held = tryTake()
        if (held !== undefined) return held
        if (now() >= deadline) throw new AppError('UNAVAILABLE', 'Too many uploads of unknown length at once')
        await wait(gap * (0.5 + Math.random() / 2))
      }
    },
  }
}
