import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { OrderRow } from './csv.ts'
import { lowStockLimit, maxLowStock } from './figures.ts'
import { curveDays, type Period } from './period.ts'

type Instant = { period: Period; asOf: string }

const midnight = (day: SQL): SQL => sql`((${day})::timestamp at time zone 'UTC')`

/** Orders of the days from `first` to `last` that were placed by the instant. */
export const ordersIn = (first: SQL, last: SQL, asOf: SQL): SQL =>
  sql`orders.created_at >= ${midnight(first)} and orders.created_at < ${midnight(sql`${last} + 1`)}
    and orders.created_at <= ${asOf}`

/** The status at the instant: the present one, unless the order has moved since. */
const statusAt = (
  asOf: SQL,
): SQL => sql`case when orders.updated_at <= ${asOf} then orders.status else coalesce((
    select to_status from order_status_history
    where order_id = orders.id and at <= ${asOf} order by order_status_history.id desc limit 1
  ), 'pending') end`

const minor = (amount: SQL): SQL => sql`(${amount} * 100)::bigint::text`

const rowsOf = (json: SQL, from: SQL): SQL => sql`coalesce((select json_agg(${json}) from ${from}), '[]')`

/**
 * Every figure of a report in one statement and so of one snapshot. Orders and their statuses are as of the instant,
 * like the list's; stock and dead jobs keep no history and are as of this reading, moments later.
 */
export const figuresQuery = ({ period, asOf }: Instant): SQL => {
  const instant = sql`${asOf}::timestamptz`
  const [first, last] = [sql`${period.from}::date`, sql`${period.to}::date`]
  // oxlint-disable-next-line selvedge/roles -- who counts as a customer is a figure, not a right
  return sql`with recent as (
      select orders.id, orders.total, ${statusAt(instant)} as status,
        (orders.created_at at time zone 'UTC')::date as day
      from orders
      where ${ordersIn(sql`least(${first}, ${last} - ${curveDays - 1}::int)`, last, instant)}
    ),
    sold as (select * from recent where status <> 'cancelled'),
    by_status as (select status, count(*) as orders, sum(total) as amount from recent where day >= ${first} group by 1),
    by_day as (select day, sum(total) as revenue from sold where day > ${last} - ${curveDays}::int group by 1),
    best as (
      select product_id as id, sum(quantity) as units, sum(quantity * unit_price) as revenue
      from order_items join sold on sold.id = order_id
      where day >= ${first} group by 1 order by revenue desc, units desc, id limit 10
    ),
    low as (select id, name, slug, stock from products where archived_at is null and stock <= ${lowStockLimit}::int),
    named as (select * from low order by stock, name, id limit ${maxLowStock}::int),
    dead as (select type, count(*) as jobs, min(coalesce(finished_at, created_at)) as since
      from jobs where state = 'dead' group by 1)
    select json_build_object(
      'asOf', ${asOf}::text,
      'statuses', ${rowsOf(sql`json_build_object('status', status, 'orders', orders, 'amount', ${minor(sql`amount`)})`, sql`by_status`)},
      'days', ${rowsOf(sql`json_build_object('day', day, 'revenue', ${minor(sql`revenue`)}) order by day`, sql`by_day`)},
      'products', ${rowsOf(
        sql`json_build_object('name', products.name, 'units', units, 'revenue', ${minor(sql`revenue`)})
          order by revenue desc, units desc, best.id`,
        sql`best join products on products.id = best.id`,
      )},
      'lowStock', json_build_object(
        'products', (select count(*) from low),
        'named', ${rowsOf(sql`json_build_object('name', name, 'slug', slug, 'stock', stock) order by stock, name, id`, sql`named`)}
      ),
      'newCustomers', (select count(*) from users where role = 'user' and created_at <= ${instant}
        and created_at >= ${midnight(first)} and created_at < ${midnight(sql`${last} + 1`)}),
      'deadJobs', ${rowsOf(sql`json_build_object('type', type, 'jobs', jobs, 'since', ${iso('since')}) order by type`, sql`dead`)}
    ) as data`
}

/** A page of the period's orders by key, not by offset; cut before anything is joined to it. */
export const orderPageQuery = (
  { period, asOf }: Instant,
  after: Pick<OrderRow, 'createdAt' | 'id'> | undefined,
  limit: number,
): SQL => {
  const instant = sql`${asOf}::timestamptz`
  const beyond =
    after === undefined
      ? sql`true`
      : sql`(orders.created_at, orders.id) > (${after.createdAt}::timestamptz, ${after.id}::uuid)`
  return sql`select json_build_object('id', orders.id, 'createdAt', ${iso('orders.created_at')},
      'status', ${statusAt(instant)}, 'customer', users.name, 'email', users.email,
      'lines', items.lines, 'units', items.units, 'total', orders.total::text) as data
    from (
      select * from orders
      where ${ordersIn(sql`${period.from}::date`, sql`${period.to}::date`, instant)} and ${beyond}
      order by created_at, id limit ${limit}::int
    ) as orders
    join users on users.id = orders.user_id
    cross join lateral (
      select count(*) as lines, coalesce(sum(quantity), 0) as units from order_items where order_id = orders.id
    ) as items
    order by orders.created_at, orders.id`
}
