import type { Actor } from '../shared/actor.ts'
import { AppError, notFound } from '../shared/errors.ts'
import { paginate } from '../shared/page.ts'
import { mergeLines } from './merge-lines.ts'
import type { OrderRepository, OrderRow } from './repository.ts'
import type { ChangeStatus, ListOrders, Order, OrderDetail, PlaceOrder } from './schema.ts'

type Deps = { orders: OrderRepository; newId: () => string }

const present = <R extends OrderRow>(row: R) => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

export const createOrderService = ({ orders, newId }: Deps) => ({
  place: async (actor: Actor, { items }: PlaceOrder): Promise<Order> =>
    present(await orders.place(actor, newId(), mergeLines(items))),

  async list(actor: Actor, query: ListOrders) {
    if (query.userId !== undefined && query.userId !== actor.id && actor.role !== 'admin') {
      throw new AppError('FORBIDDEN', 'Only administrators see the orders of others')
    }
    const { rows, counted } = await orders.list(actor, query)
    return { data: rows.map(present), pagination: paginate(query, counted) }
  },

  async get(actor: Actor, id: string): Promise<OrderDetail> {
    const found = await orders.find(actor, id)
    if (found === undefined) throw notFound('Order')
    return present(found)
  },

  cancel: async (actor: Actor, id: string): Promise<Order> => present(await orders.cancel(actor, id)),

  changeStatus: async (actor: Actor, id: string, { status }: ChangeStatus): Promise<Order> =>
    present(await orders.changeStatus(actor, id, status)),
})
