type Settings = {
  /** Failures in a row that open it. */
  failures: number
  /** Milliseconds for which an open one lets nothing through; then one call at a time may try. */
  rest: number
}

export type Breaker = ReturnType<typeof createBreaker>

/**
 * A circuit breaker (Nygard, "Release It!") without timers or promises: the caller asks, calls, and reports. A call
 * that is tried while it is open and never reports blocks the next one no longer than `rest`.
 */
export const createBreaker = ({ failures, rest }: Settings) => {
  let inARow = 0
  let restsUntil: number | undefined

  return {
    /** May a call be made now? While it is open, the answer is yes once every `rest`. */
    allows(now: number): boolean {
      if (restsUntil === undefined) return true
      if (now < restsUntil) return false
      restsUntil = now + rest
      return true
    },

    /** True when this opened it, which is worth one line in the log. */
    failed(now: number): boolean {
      inARow += 1
      if (restsUntil !== undefined) restsUntil = now + rest
      if (restsUntil !== undefined || inARow < failures) return false
      restsUntil = now + rest
      return true
    },

    /** True when this closed it. */
    succeeded(): boolean {
      const wasOpen = restsUntil !== undefined
      inARow = 0
      restsUntil = undefined
      return wasOpen
    },
  }
}
