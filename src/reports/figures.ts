import type { OrderStatus } from '../orders/status.ts'
import { curveDays, daysUntil, type Period } from './period.ts'

/** Pieces in stock from which a product counts as low. */
export const lowStockLimit = 10

/** Products with low stock that are named; of the others only the number. */
export const maxLowStock = 100

/** In the order of an order's life. */
const statuses: OrderStatus[] = ['pending', 'paid', 'shipped', 'delivered', 'cancelled']

/** What the database answers: money in minor units as text, because JSON's numbers are floats. */
export type RawFigures = {
  asOf: string
  statuses: { status: OrderStatus; orders: number; amount: string }[]
  days: { day: string; revenue: string }[]
  products: { name: string; units: number; revenue: string }[]
  lowStock: { products: number; named: { name: string; slug: string; stock: number }[] }
  newCustomers: number
  deadJobs: { type: string; jobs: number; since: string }[]
}

export type Line = { status: OrderStatus; orders: number; amount: bigint }

/** Money in minor units. Revenue is what the orders that are not cancelled are worth. */
export type Figures = {
  period: Period
  asOf: string
  byStatus: Line[]
  /** All orders, cancelled ones too. */
  orders: number
  amount: bigint
  /** Orders that are not cancelled. */
  sales: number
  revenue: bigint
  /** Of an order that is not cancelled, rounded half up; undefined without one. */
  averageOrder: bigint | undefined
  /** Each of the 30 days that end with the period, oldest first. */
  curve: { day: string; revenue: bigint }[]
  curveRevenue: bigint
  bestProducts: { name: string; units: number; revenue: bigint }[]
  lowStock: RawFigures['lowStock']
  newCustomers: number
  deadJobs: RawFigures['deadJobs']
  deadJobsTotal: number
}

const sum = (amounts: bigint[]): bigint => amounts.reduce((all, amount) => all + amount, 0n)

const total = (counts: number[]): number => counts.reduce((all, count) => all + count, 0)

const halfUp = (amount: bigint, parts: number): bigint => (2n * amount + BigInt(parts)) / (2n * BigInt(parts))

export const figuresOf = (period: Period, raw: RawFigures): Figures => {
  const byStatus = statuses.map((status): Line => {
    const { orders = 0, amount = '0' } = raw.statuses.find((line) => line.status === status) ?? {}
    return { status, orders, amount: BigInt(amount) }
  })
  const sold = byStatus.filter(({ status }) => status !== 'cancelled')
  const sales = total(sold.map(({ orders }) => orders))
  const revenue = sum(sold.map(({ amount }) => amount))
  const revenues = new Map(raw.days.map(({ day, revenue }) => [day, BigInt(revenue)]))
  const curve = daysUntil(period.to, curveDays).map((day) => ({ day, revenue: revenues.get(day) ?? 0n }))
  return {
    period,
    asOf: raw.asOf,
    byStatus,
    orders: total(byStatus.map(({ orders }) => orders)),
    amount: sum(byStatus.map(({ amount }) => amount)),
    sales,
    revenue,
    averageOrder: sales === 0 ? undefined : halfUp(revenue, sales),
    curve,
    curveRevenue: sum(curve.map(({ revenue }) => revenue)),
    bestProducts: raw.products.map((product) => ({ ...product, revenue: BigInt(product.revenue) })),
    lowStock: raw.lowStock,
    newCustomers: raw.newCustomers,
    deadJobs: raw.deadJobs,
    deadJobsTotal: total(raw.deadJobs.map(({ jobs }) => jobs)),
  }
}

/** `12,345` */
export const countText = (count: number | bigint): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')

/** Minor units as `12,345.60`; never through a float. */
export const moneyText = (amount: bigint): string =>
  `${countText(amount / 100n)}.${String(amount % 100n).padStart(2, '0')}`

/** Minor units of the decimal text that PostgreSQL writes a `numeric(12,2)` as. */
export const minorUnits = (decimal: string): bigint => BigInt(decimal.replace('.', ''))
