/** Of one product. */
export const maxImages = 20

/** Where a list has what it had before. */
export const repeatedAt = (ids: readonly string[]): number[] =>
  ids.flatMap((id, n) => (ids.indexOf(id) < n ? [n] : []))
