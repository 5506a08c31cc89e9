import { describe, expect, it } from 'vitest'
import { offsetOf, paginate } from './page.ts'

describe('paginate', () => {
  it.each([
    [0, 20, { total: 0, pages: 0 }],
    [1, 20, { total: 1, pages: 1 }],
    [20, 20, { total: 20, pages: 1 }],
    [21, 20, { total: 21, pages: 2 }],
    [10_000, 100, { total: 10_000, pages: 100 }],
  ])('counts %i rows in pages of %i exactly', (counted, limit, expected) => {
    expect(paginate({ page: 1, limit }, counted)).toEqual({ page: 1, limit, ...expected })
  })

  it('says that the total is a lower bound when more rows match than are counted', () => {
    expect(paginate({ page: 3, limit: 50 }, 10_001)).toEqual({
      page: 3,
      limit: 50,
      total: 10_000,
      pages: 200,
      totalIsLowerBound: true,
    })
  })

  it('skips what the pages before hold', () => {
    expect([1, 2, 7].map((page) => offsetOf({ page, limit: 25 }))).toEqual([0, 25, 150])
  })
})
