import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderStatuses } from '../orders/status.ts'
import { countText, figuresOf, minorUnits, moneyText, type RawFigures } from './figures.ts'

const period = { from: '2026-11-18', to: '2026-11-19' }

const none: RawFigures = {
  ...{ asOf: '2026-11-20T02:00:00.000Z', statuses: [], days: [], products: [] },
  ...{ lowStock: { products: 0, named: [] }, newCustomers: 0, deadJobs: [] },
}

describe('the figures of a report', () => {
  it('name every status, also those without an order', () => {
    const { byStatus } = figuresOf(period, none)
    expect(byStatus.map(({ status }) => status)).toEqual([...orderStatuses])
    expect(byStatus.every(({ orders, amount }) => orders === 0 && amount === 0n)).toBe(true)
  })

  it('count cancelled orders, but not as revenue', () => {
    const statuses: RawFigures['statuses'] = [
      { status: 'paid', orders: 2, amount: '1001' },
      { status: 'cancelled', orders: 1, amount: '500' },
    ]
    expect(figuresOf(period, { ...none, statuses })).toMatchObject({
      ...{ orders: 3, sales: 2, amount: 1_501n, revenue: 1_001n, averageOrder: 501n },
    })
  })

  it('have no average without an order', () => {
    const statuses: RawFigures['statuses'] = [{ status: 'cancelled', orders: 4, amount: '400' }]
    expect(figuresOf(period, none).averageOrder).toBeUndefined()
    expect(figuresOf(period, { ...none, statuses }).averageOrder).toBeUndefined()
  })

  it('round the average half up, to the minor unit, however large the sum', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 20n), fc.integer({ min: 1, max: 1_000_000 }), (amount, orders) => {
        const statuses: RawFigures['statuses'] = [{ status: 'paid', orders, amount: String(amount) }]
        const average = figuresOf(period, { ...none, statuses }).averageOrder ?? -1n
        const twice = 2n * (amount - average * BigInt(orders))
        expect(twice >= -BigInt(orders) && twice < BigInt(orders)).toBe(true)
      }),
    )
  })

  it('have a curve of 30 days that end with the period, with a zero where nothing was sold', () => {
    const days = [
      { day: '2026-10-21', revenue: '7' },
      { day: '2026-11-19', revenue: '90071992547409931' },
    ]
    const { curve, curveRevenue } = figuresOf(period, { ...none, days })
    expect(curve).toHaveLength(30)
    expect(curve[0]).toEqual({ day: '2026-10-21', revenue: 7n })
    expect(curve[1]).toEqual({ day: '2026-10-22', revenue: 0n })
    expect(curve.at(-1)).toEqual({ day: '2026-11-19', revenue: 90_071_992_547_409_931n })
    expect(curveRevenue).toBe(90_071_992_547_409_938n)
  })

  it('add up the dead jobs of all types', () => {
    const since = '2026-11-19T00:00:00.000Z'
    const deadJobs = [
      { type: 'mail.send', jobs: 2, since },
      { type: 'report.build', jobs: 3, since },
    ]
    expect(figuresOf(period, { ...none, deadJobs }).deadJobsTotal).toBe(5)
  })
})

describe('amounts as text', () => {
  it.each([
    [0n, '0.00'],
    [5n, '0.05'],
    [99_999n, '999.99'],
    [100_000n, '1,000.00'],
    [123_456_789_012_345_678_901n, '1,234,567,890,123,456,789.01'],
  ])('writes %d as %s', (amount, text) => {
    expect(moneyText(amount)).toBe(text)
    expect(minorUnits(text.replaceAll(',', ''))).toBe(amount)
  })

  it('groups counts by thousands', () => {
    expect([0, 999, 1_000, 1_234_567].map((count) => countText(count))).toEqual([
      ...['0', '999', '1,000', '1,234,567'],
    ])
  })
})
