/**
 * Exact sliding windows in memory, one for each member: at most `points` in any `duration` seconds. A room that is
 * restarted counts anew: whoever makes it restart has waited longer than the window.
 */
export const createQuota = ({ points, duration }: { points: number; duration: number }) => {
  const windowMs = duration * 1_000
  const times = new Map<string, { at: number[]; start: number }>()

  return {
    /** Milliseconds to wait; 0: it was counted. */
    take(key: string, now: number): number {
      const of = times.get(key) ?? { at: [], start: 0 }
      times.set(key, of)
      while (of.start < of.at.length && (of.at[of.start] ?? 0) <= now - windowMs) of.start += 1
      // What has left the window is cut off now and then: each time would copy the rest each time.
      if (of.start > points) [of.at, of.start] = [of.at.slice(of.start), 0]
      const oldest = of.at[of.start]
      if (of.at.length - of.start >= points && oldest !== undefined) {
        return Math.max(1, oldest + windowMs - now)
      }
      of.at.push(now)
      return 0
    },

    forget(key: string): void {
      times.delete(key)
    },
  }
}

export type Quota = ReturnType<typeof createQuota>
