import type { MailOrder } from '../jobs/catalog.ts'
import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Draft } from '../jobs/outbox.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { can } from '../shared/can.ts'
import { AppError, found } from '../shared/errors.ts'
import { paginate } from '../shared/page.ts'
import { mergeLines } from './merge-lines.ts'
import type { OrderRepository } from './repository.ts'
import type { ChangeStatus, ListOrders, OrderDetail, PlaceOrder } from './schema.ts'

type Deps = {
  orders: OrderRepository
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
}

type OrderTemplate = Extract<MailOrder, { orderId: string }>['template']

export const createOrderService = ({ orders, dispatcher, newId }: Deps) => {
  const mailOf = (template: OrderTemplate, orderId: string): Draft =>
    dispatcher.draft({ type: 'mail.send', payload: { template, orderId } }, orderId)

  const newsOf = (orderId: string): Draft =>
    dispatcher.draft({ type: 'chat.orderStatus', payload: { orderId } }, orderId)

  /** Whom all of a change of status is told to. */
  const draftsOf = (orderId: string, template?: OrderTemplate) => {
    const news = newsOf(orderId)
    const mail = template && mailOf(template, orderId)
    return { mail, news, notice: { id: newId(), origin: news.origin } }
  }

  /** A replay has written no jobs. */
  const sent = (reply: Reply, ...jobs: ({ id: string } | undefined)[]): Reply => {
    if (!reply.replayed) dispatcher.send(jobs.flatMap((job) => job ?? []))
    return reply
  }

  return {
    async place(actor: Actor, { items }: PlaceOrder, once?: IdempotentRequest): Promise<Reply> {
      const id = newId()
      const mail = mailOf('orderConfirmed', id)
      return sent(await orders.place(actor, id, mergeLines(items), mail, once), mail)
    },

    async list(actor: Actor, query: ListOrders) {
      if (query.userId !== undefined && !can(actor, 'orders.read', { ownerId: query.userId })) {
        throw new AppError('FORBIDDEN', 'Only administrators see the orders of others')
      }
      const { data, counted } = await orders.list(actor, query)
      return { data, pagination: paginate(query, counted) }
    },

    get: async (actor: Actor, id: string): Promise<OrderDetail> =>
      found('Order', await orders.find(actor, id)),

    async cancel(actor: Actor, id: string, once?: IdempotentRequest): Promise<Reply> {
      const drafts = draftsOf(id, 'orderCancelled')
      return sent(await orders.cancel(actor, id, drafts, once), ...Object.values(drafts))
    },

    async changeStatus(
      actor: Actor,
      id: string,
      { status }: ChangeStatus,
      once?: IdempotentRequest,
    ): Promise<Reply> {
      const drafts = draftsOf(id, status === 'shipped' ? 'orderShipped' : undefined)
      return sent(await orders.changeStatus(actor, id, status, drafts, once), ...Object.values(drafts))
    },
  }
}
