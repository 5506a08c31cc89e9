import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import { hasConversation } from '../chat/statements.ts'
import { enqueueNotifications } from '../inbox/statements.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseIf, raiseWhen } from '../db/raise.ts'
import { orderBy } from '../db/sort.ts'
import { withinReach } from '../db/within-reach.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import { enqueue, type Draft } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { offsetOf } from '../shared/page.ts'
import { orderDetailJson, orderJson } from './json.ts'
import type { Line } from './merge-lines.ts'
import type { ListOrders, Order, OrderDetail } from './schema.ts'
import { cancellable, predecessorOf, type OrderStatus } from './status.ts'
import { orders } from './table.ts'

const sortable = { createdAt: orders.createdAt, total: orders.total }

/** Orders of others do not exist, except to whom can.ts lets reach them. */
const reachable = (actor: Actor, action: 'orders.read' | 'orders.cancel'): SQL =>
  withinReach(actor, action, eq(orders.userId, actor.id))

const isDate = (when: string): boolean => !when.includes('T')

const upTo = (to: string): SQL =>
  isDate(to)
    ? sql`${orders.createdAt} < (${to}::date + 1)::timestamp at time zone 'UTC'`
    : sql`${orders.createdAt} <= ${to}::timestamptz`

const since = (from: string): SQL =>
  isDate(from)
    ? sql`${orders.createdAt} >= ${from}::timestamp at time zone 'UTC'`
    : sql`${orders.createdAt} >= ${from}::timestamptz`

const matching = (actor: Actor, { status, from, to, userId }: ListOrders): SQL | undefined =>
  and(
    reachable(actor, 'orders.read'),
    userId === undefined ? undefined : eq(orders.userId, userId),
    status === undefined ? undefined : eq(orders.status, status),
    from === undefined ? undefined : since(from),
    to === undefined ? undefined : upTo(to),
  )

/** Locks the products of an order or of wanted lines in one order everywhere: no two batches can deadlock. */
const lockProducts = (ids: SQL): SQL =>
  sql`select 1 from products where id in (${ids}) order by id for no key update`

/** What a change of status causes: the order's conversation is told, when it has one. */
type Drafts = { mail?: Draft | undefined; news: Draft; notice: Notice }

/** The id of a job that is to be, and what caused it. */
type Notice = Pick<Draft, 'id' | 'origin'>

/** Whose order it is hears of its new status, on all devices. */
const notifyOwner = ({ id, origin }: Notice, orderId: string, status: OrderStatus, condition = sql`true`) =>
  enqueueNotifications(
    sql`select ${id}::uuid, user_id,
        jsonb_build_object('kind', 'orderStatus', 'orderId', orders.id, 'status', ${status}::text), orders.id
      from orders where orders.id = ${orderId} and ${condition}`,
    origin,
  )

export type OrderRepository = ReturnType<typeof createOrderRepository>

export const createOrderRepository = ({ db, read, write }: Database) => {
  const made = (id: string): SQL => sql`select ${orderJson} from orders where id = ${id}`

  return {
    /** One transaction: every guard that raises undoes all of it. */
    place(actor: Actor, id: string, lines: Line[], mail: Draft, once?: IdempotentRequest): Promise<Reply> {
      const wanted = sql`json_to_recordset(${JSON.stringify(lines)}::json) as line(n int, "productId" uuid, quantity int)`
      const batch = write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        lockProducts(sql`select "productId" from ${wanted}`),
        actorGuard(actor),
        raiseIf(
          'VALIDATION_FAILED',
          sql`select json_agg(json_build_object('field', format('items.%s.productId', n), 'message', 'unknown product') order by n)
            from ${wanted} left join products on id = "productId" and archived_at is null where id is null`,
        ),
        raiseIf(
          'OUT_OF_STOCK',
          sql`select json_agg(json_build_object('productId', id, 'requested', quantity, 'available', stock) order by n)
            from ${wanted} join products on id = "productId" where stock < quantity`,
        ),
        sql`update products set stock = stock - quantity from ${wanted} where id = "productId"`,
        sql`insert into orders (id, user_id, status, total)
          select ${id}, ${actor.id}, 'pending', sum(price * quantity) from ${wanted} join products on id = "productId"`,
        sql`insert into order_items (order_id, position, product_id, name, quantity, unit_price)
          select ${id}, n, id, name, quantity, price from ${wanted} join products on id = "productId"`,
        sql`insert into order_status_history (order_id, actor_id, to_status) values (${id}, ${actor.id}, 'pending')`,
        sql`insert into stock_movements (product_id, delta, reason, order_id, actor_id)
          select "productId", -quantity, 'order', ${id}, ${actor.id} from ${wanted}`,
        enqueue(mail),
        finish(actor, once, 201, made(id)),
      ])
      return replyOf(201, batch)
    },

    async list(actor: Actor, query: ListOrders) {
      const where = matching(actor, query)
      const [, counted, rows] = await read([
        actorGuard(actor),
        countUpTo(orders, where),
        pageOf({
          table: orders,
          json: orderJson,
          where,
          order: orderBy(query.sort, sortable, orders.id),
          limit: query.limit,
          offset: offsetOf(query),
        }),
      ])
      return { data: dataOf<Order>(rows), counted: countOf(counted) }
    },

    async find(actor: Actor, id: string): Promise<OrderDetail | undefined> {
      const [, [row]] = await read([
        actorGuard(actor),
        db
          .select({ order: orderDetailJson })
          .from(orders)
          .where(and(eq(orders.id, id), reachable(actor, 'orders.read'))),
      ])
      return row?.order
    },

    /** Cancelling again changes nothing; one CTE feeds restock, ledger and history, so they agree. */
    cancel(
      actor: Actor,
      id: string,
      { mail, news, notice }: Drafts,
      once?: IdempotentRequest,
    ): Promise<Reply> {
      const mine = and(eq(orders.id, id), reachable(actor, 'orders.cancel'))
      const isUncancelled = sql`exists (select from orders where id = ${id} and status <> 'cancelled')`
      const batch = write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        sql`select 1 from orders where ${mine} for no key update`,
        raiseWhen('NOT_FOUND', sql`not exists (select from orders where ${mine})`),
        lockProducts(sql`select product_id from order_items where order_id = ${id}`),
        actorGuard(actor),
        raiseWhen(
          'INVALID_TRANSITION',
          sql`exists (select from orders where id = ${id}
            and status <> 'cancelled' and not ${inArray(orders.status, [...cancellable])})`,
        ),
        mail && enqueue(mail, isUncancelled),
        enqueue(news, sql`${isUncancelled} and ${hasConversation(id)}`),
        notifyOwner(notice, id, 'cancelled', isUncancelled),
        sql`with before as (select id, status from orders where id = ${id} and status <> 'cancelled'),
          cancelled as (
            update orders set status = 'cancelled', updated_at = now() from before where orders.id = before.id
            returning orders.id, before.status as was
          ),
          lines as (select product_id, quantity from order_items join cancelled on cancelled.id = order_id),
          restocked as (update products set stock = stock + quantity from lines where id = product_id),
          entered as (
            insert into stock_movements (product_id, delta, reason, order_id, actor_id)
            select product_id, quantity, 'cancellation', ${id}, ${actor.id} from lines
          )
          insert into order_status_history (order_id, actor_id, from_status, to_status)
          select id, ${actor.id}, was, 'cancelled' from cancelled`,
        finish(actor, once, 200, made(id)),
      ])
      return replyOf(200, batch)
    },

    changeStatus(
      actor: Actor,
      id: string,
      to: OrderStatus,
      { mail, news, notice }: Drafts,
      once?: IdempotentRequest,
    ): Promise<Reply> {
      const from = predecessorOf(to) ?? null
      const batch = write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        sql`select 1 from orders where id = ${id} for no key update`,
        actorGuard(actor),
        raiseWhen('NOT_FOUND', sql`not exists (select from orders where id = ${id})`),
        raiseWhen(
          'INVALID_TRANSITION',
          sql`exists (select from orders where id = ${id} and status is distinct from ${from})`,
        ),
        sql`with changed as (
            update orders set status = ${to}, updated_at = now() where id = ${id} and status = ${from} returning id
          )
          insert into order_status_history (order_id, actor_id, from_status, to_status)
          select id, ${actor.id}, ${from}, ${to} from changed`,
        mail && enqueue(mail),
        enqueue(news, hasConversation(id)),
        notifyOwner(notice, id, to),
        finish(actor, once, 200, made(id)),
      ])
      return replyOf(200, batch)
    },
  }
}
