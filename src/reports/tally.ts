import type { OrderStatus } from '../orders/status.ts'
import { minorUnits, type Figures } from './figures.ts'

type Row = { status: OrderStatus; total: string }

export type Tally = ReturnType<typeof createTally>

/** Counts the list of orders while it is written, to hold it against the figures. */
export const createTally = () => {
  const lines = new Map<OrderStatus, { orders: number; amount: bigint }>()
  let orders = 0
  return {
    add(rows: Row[]): void {
      orders += rows.length
      for (const { status, total } of rows) {
        const { orders, amount } = lines.get(status) ?? { orders: 0, amount: 0n }
        lines.set(status, { orders: orders + 1, amount: amount + minorUnits(total) })
      }
    },
    orders: (): number => orders,
    agreesWith: ({ byStatus }: Pick<Figures, 'byStatus'>): boolean =>
      byStatus.every(({ status, orders, amount }) => {
        const line = lines.get(status) ?? { orders: 0, amount: 0n }
        return line.orders === orders && line.amount === amount
      }),
  }
}
