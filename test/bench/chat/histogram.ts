const width = 0.05
const buckets = 200_000

/** Latencies of millions of deliveries, in steps of 0.05 ms up to ten seconds. */
export const createHistogram = () => {
  const counts = new Uint32Array(buckets + 1)
  let total = 0

  return {
    add(milliseconds: number): void {
      const bucket = Math.min(buckets, Math.floor(milliseconds / width))
      counts[bucket] = (counts[bucket] ?? 0) + 1
      total += 1
    },

    total: () => total,

    /** The upper end of the step in which that share of all is reached; NaN of nothing. */
    quantile(share: number): number {
      if (total === 0) return NaN
      let seen = 0
      const bucket = counts.findIndex((count) => (seen += count) >= total * share)
      return (bucket + 1) * width
    },
  }
}
