import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAndUpdated, moment } from '../db/table.ts'
import { products } from '../products/table.ts'
import { users } from '../users/table.ts'
import type { OrderStatus } from './status.ts'

const known = sql.raw(`'pending', 'paid', 'shipped', 'delivered', 'cancelled'`)

export const orders = pgTable(
  'orders',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    status: text('status').$type<OrderStatus>().notNull(),
    total: numeric('total', { precision: 12, scale: 2 }).notNull(),
    ...createdAndUpdated,
  },
  (t) => [
    check('orders_status_check', sql`${t.status} in (${known})`),
    check('orders_total_check', sql`${t.total} >= 0`),
    // One index a filter and sort; `from` and `to` narrow created_at.
    index('orders_created_at_idx').on(t.createdAt, t.id),
    index('orders_total_idx').on(t.total, t.id),
    index('orders_user_created_at_idx').on(t.userId, t.createdAt, t.id),
    index('orders_user_total_idx').on(t.userId, t.total, t.id),
    index('orders_status_created_at_idx').on(t.status, t.createdAt, t.id),
    index('orders_status_total_idx').on(t.status, t.total, t.id),
  ],
)

/** Name and price as they were when the order was placed. */
export const orderItems = pgTable(
  'order_items',
  {
    orderId: uuid('order_id')
      .notNull()
      .references(() => orders.id),
    position: smallint('position').notNull(),
    productId: uuid('product_id')
      .notNull()
      .references(() => products.id),
    name: text('name').notNull(),
    quantity: integer('quantity').notNull(),
    unitPrice: numeric('unit_price', { precision: 12, scale: 2 }).notNull(),
  },
  (t) => [
    primaryKey({ name: 'order_items_pk', columns: [t.orderId, t.position] }),
    unique('order_items_product_unique').on(t.orderId, t.productId),
    check('order_items_quantity_check', sql`${t.quantity} between 1 and 999`),
    check('order_items_unit_price_check', sql`${t.unitPrice} between 0 and 99999.99`),
    index('order_items_product_id_idx').on(t.productId),
  ],
)

export const orderStatusHistory = pgTable(
  'order_status_history',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    orderId: uuid('order_id')
      .notNull()
      .references(() => orders.id),
    actorId: uuid('actor_id')
      .notNull()
      .references(() => users.id),
    /** NULL for the first: the order was placed. */
    from: text('from_status').$type<OrderStatus>(),
    to: text('to_status').$type<OrderStatus>().notNull(),
    at: moment('at').notNull().defaultNow(),
  },
  (t) => [
    // No status is ever reached twice: the last line against a doubled transition.
    unique('order_status_history_once').on(t.orderId, t.to),
    check('order_status_history_from_check', sql`${t.from} in (${known})`),
    check('order_status_history_to_check', sql`${t.to} in (${known})`),
  ],
)

/** The ledger: for every product the deltas sum to its stock. */
export const stockMovements = pgTable(
  'stock_movements',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    productId: uuid('product_id')
      .notNull()
      .references(() => products.id),
    delta: integer('delta').notNull(),
    reason: text('reason').notNull(),
    orderId: uuid('order_id').references(() => orders.id),
    actorId: uuid('actor_id').references(() => users.id),
    at: moment('at').notNull().defaultNow(),
  },
  (t) => [
    check('stock_movements_delta_check', sql`${t.delta} <> 0`),
    check('stock_movements_reason_check', sql`length(${t.reason}) between 1 and 200`),
    // An order sells a product once and gives it back once.
    uniqueIndex('stock_movements_once')
      .on(t.orderId, t.productId, t.reason)
      .where(sql`order_id is not null`),
    index('stock_movements_product_idx').on(t.productId, t.id),
  ],
)
