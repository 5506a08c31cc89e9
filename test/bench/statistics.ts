/** Linear between the two nearest ranks; NaN of nothing. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? NaN
  const above = sorted[Math.ceil(at)] ?? NaN
  return below + (above - below) * (at - Math.floor(at))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** `value` is the ratio of the medians; `low` and `high` are the extremes of the single rounds. */
export type Ratio = { value: number; low: number; high: number }

/** Both hold one value a round, of the same rounds in the same order. */
export const ratio = (of: readonly number[], to: readonly number[]): Ratio => {
  if (of.length !== to.length) throw new Error('Both sides of a ratio need the same rounds')
  const rounds = of.map((value, round) => value / (to[round] ?? NaN))
  return { value: median(of) / median(to), low: Math.min(...rounds), high: Math.max(...rounds) }
}
