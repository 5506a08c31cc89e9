import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { Order, OrderDetail } from './schema.ts'

const fields = sql`
  'id', orders.id, 'userId', orders.user_id, 'status', orders.status, 'total', orders.total::text,
  'items', (
    select json_agg(json_build_object('productId', product_id, 'name', name, 'quantity', quantity,
      'unitPrice', unit_price::text) order by position)
    from order_items where order_id = orders.id
  ),
  'createdAt', ${iso('orders.created_at')}, 'updatedAt', ${iso('orders.updated_at')}`

/** A row of `orders` as the API shows it. */
export const orderJson = sql<Order>`json_build_object(${fields})`

export const orderDetailJson = sql<OrderDetail>`json_build_object(${fields},
  'history', (
    select json_agg(json_build_object('from', from_status, 'to', to_status, 'at', ${iso('at')}) order by id)
    from order_status_history where order_id = orders.id
  ))`
