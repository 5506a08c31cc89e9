import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { AppError, found } from '../shared/errors.ts'
import { paginate } from '../shared/page.ts'
import { mergeLines } from './merge-lines.ts'
import type { OrderRepository } from './repository.ts'
import type { ChangeStatus, ListOrders, OrderDetail, PlaceOrder } from './schema.ts'

type Deps = { orders: OrderRepository; newId: () => string }

export const createOrderService = ({ orders, newId }: Deps) => ({
  place: async (actor: Actor, { items }: PlaceOrder, once?: IdempotentRequest): Promise<Reply> =>
    await orders.place(actor, newId(), mergeLines(items), once),

  async list(actor: Actor, query: ListOrders) {
    if (query.userId !== undefined && query.userId !== actor.id && actor.role !== 'admin') {
      throw new AppError('FORBIDDEN', 'Only administrators see the orders of others')
    }
    const { data, counted } = await orders.list(actor, query)
    return { data, pagination: paginate(query, counted) }
  },

  get: async (actor: Actor, id: string): Promise<OrderDetail> => found('Order', await orders.find(actor, id)),

  cancel: async (actor: Actor, id: string, once?: IdempotentRequest): Promise<Reply> =>
    await orders.cancel(actor, id, once),

  changeStatus: async (
    actor: Actor,
    id: string,
    { status }: ChangeStatus,
    once?: IdempotentRequest,
  ): Promise<Reply> => await orders.changeStatus(actor, id, status, once),
})
