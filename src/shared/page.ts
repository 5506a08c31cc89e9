/** Totals are counted exactly up to this many rows: beyond it a count costs more than it tells. */
export const maxCounted = 10_000

export type PageRequest = { page: number; limit: number }

export type Pagination = {
  page: number
  limit: number
  total: number
  pages: number
  totalIsLowerBound?: true
}

export const offsetOf = ({ page, limit }: PageRequest): number => (page - 1) * limit

/** `counted` is the number of matching rows, counted no further than `maxCounted + 1`. */
export const paginate = ({ page, limit }: PageRequest, counted: number): Pagination => {
  const total = Math.min(counted, maxCounted)
  const pagination = { page, limit, total, pages: Math.ceil(total / limit) }
  return counted > maxCounted ? { ...pagination, totalIsLowerBound: true } : pagination
}
