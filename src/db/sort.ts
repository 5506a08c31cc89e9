import { asc, desc, type SQL } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'

/** `field` or `-field`, with the id as tie-break in the same direction, so that one index serves both ways. */
export const orderBy = <F extends string>(
  sort: F | `-${F}`,
  columns: Record<F, AnyPgColumn>,
  id: AnyPgColumn,
): SQL[] => {
  const descending = sort.startsWith('-')
  const direction = descending ? desc : asc
  // The schema admits only these names.
  const field = (descending ? sort.slice(1) : sort) as F
  return [direction(columns[field]), direction(id)]
}
