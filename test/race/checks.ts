import type pg from 'pg'

/** Each query answers the rows that break a rule; a rule that holds answers none. */
const rules = {
  'stock is negative': 'select id, stock from products where stock < 0',
  'the ledger does not sum to the stock': `
    select id, stock, (select coalesce(sum(delta), 0) from stock_movements where product_id = products.id) as ledger
    from products
    where stock <> (select coalesce(sum(delta), 0) from stock_movements where product_id = products.id)`,
  'initial stock is not what remains and what was sold': `
    select id, stock from products
    where (select coalesce(sum(delta), 0) from stock_movements where product_id = products.id and order_id is null)
      <> stock + (
        select coalesce(sum(quantity), 0) from order_items join orders on orders.id = order_id
        where product_id = products.id and status <> 'cancelled'
      )`,
  'a total is not the sum of its lines': `
    select id, total from orders
    where total <> (select coalesce(sum(quantity * unit_price), -1) from order_items where order_id = orders.id)`,
  'an order has no items':
    'select id from orders where not exists (select from order_items where order_id = orders.id)',
  'an order is cancelled without its history, or the other way round': `
    select id, status from orders
    where (status = 'cancelled')
      <> exists (select from order_status_history where order_id = orders.id and to_status = 'cancelled')`,
  'a history does not end at the status': `
    select id, status from orders
    where status <> (select to_status from order_status_history where order_id = orders.id order by id desc limit 1)`,
}

/** The rules that the data breaks, each with up to three examples; empty when all hold. */
export const brokenRules = async (client: pg.Client): Promise<string[]> => {
  const broken: string[] = []
  for (const [rule, query] of Object.entries(rules)) {
    const { rows } = await client.query(query)
    if (rows.length > 0)
      broken.push(`${rule}: ${rows.length} rows, such as ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return broken
}

/** How many deadlocks PostgreSQL has had to break: the Worker tries those again, so that no reply tells of them. */
export const deadlocks = async (client: pg.Client): Promise<number> => {
  const { rows } = await client.query(
    'select deadlocks::int as n from pg_stat_database where datname = current_database()',
  )
  return rows[0].n
}
