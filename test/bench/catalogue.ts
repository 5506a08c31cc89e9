import type { Client } from 'pg'
import { vocabulary } from './vocabulary.ts'

/** At every size: a shop with more products does not have bigger pages. */
const categories = 40

/** Ids as the product makes them (UUID v7): the moment first, so that rows come in the order of their ids. */
const uuidAt = (moment: string, seed: string) => `(
  lpad(to_hex((extract(epoch from ${moment}) * 1000)::bigint), 12, '0') || '7' || substr(md5(${seed}), 1, 3)
  || '8' || substr(md5(${seed}), 4, 15))::uuid`

/** Picks by Zipf's law: how often a word comes is about one over its place in the list. */
const zipf = (list: string) =>
  `${list}[least(cardinality(${list}), floor(power(cardinality(${list}) + 1, random()))::int)]`

const evenly = (list: string) => `${list}[1 + floor(random() * cardinality(${list}))::int]`

const madeOn = `now() - interval '1000 days' + (i::float8 / count) * interval '1000 days'`

const fillProducts = `
  insert into products (id, name, slug, description, price, stock, category_id, created_at, updated_at, archived_at)
  select ${uuidAt('made', 'i::text')}, name, replace(lower(name), ' ', '-') || '-' || i,
    format('%s of %s, %s. %s. %s. Pattern %s, from the mill at %s, article %s.',
      initcap(item), material, use, making, care, initcap(pattern), initcap(mill), lpad(i::text, 7, '0')),
    price, case when random() < 0.1 then 0 else 1000000 end,
    (array(select id from categories order by id))[1 + i % ${categories}],
    made, made, case when random() < 0.03 then made + interval '1 day' end
  from (
    select i, ${madeOn} as made, format('%s %s %s', ${zipf('looks')}, material, item) as name, item, material,
      ${evenly('uses')} as use, ${evenly('makings')} as making, ${evenly('cares')} as care,
      ${zipf('places')} as pattern, ${zipf('places')} as mill,
      (3 + floor(random() * random() * 300) + (array[0, 0.5, 0.9])[1 + i % 3])::numeric(12, 2) as price
    from (
      select i, count, looks, uses, makings, cares, places, ${zipf('materials')} as material, ${zipf('items')} as item
      from (select $1::int as count, $2::text[] as looks, $3::text[] as materials, $4::text[] as items,
        $5::text[] as uses, $6::text[] as makings, $7::text[] as cares, $8::text[] as places) as words,
        generate_series(1, count) as i
      offset 0
    ) as picked
    offset 0
  ) as made`

const fillOthers = `
  insert into stock_movements (product_id, delta, reason, at)
  select id, stock, 'initial', created_at from products where stock > 0`

const fillCategories = `
  insert into categories (id, name, slug)
  select ${uuidAt('now()', `'category ' || n`)}, 'Category ' || n, 'category-' || n
  from generate_series(1, ${categories}) as n`

const fillUsers = `
  with added as (
    insert into users (id, name, email, password_hash, role)
    select ${uuidAt('now()', `'user ' || n`)}, 'Customer ' || n, 'customer-' || n || '@example.com', '-', 'user'
    from generate_series(1, 100) as n returning id
  )
  insert into sessions (id, user_id, expires_at)
  select ${uuidAt('now()', `'session ' || id`)}, id, now() + interval '1 day' from added`

const secondaryIndexes = `
  select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
  from pg_index where indrelid = 'products'::regclass and not indisunique`

/**
 * Fills an empty, migrated database with `count` products and 100 customers, the same at every run. The indexes of the
 * products are made last: at a million rows that is several times faster.
 */
export const fillCatalogue = async (client: Client, count: number): Promise<void> => {
  const { looks, materials, items, uses, makings, cares, places } = vocabulary
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(secondaryIndexes)
  await client.query(`set maintenance_work_mem = '256MB'`)
  await client.query('select setseed(0.42)')
  await client.query(fillCategories)
  for (const { name } of indexes) await client.query(`drop index ${name}`)
  await client.query(fillProducts, [count, looks, materials, items, uses, makings, cares, places])
  for (const { definition } of indexes) await client.query(definition)
  await client.query(fillOthers)
  await client.query(fillUsers)
  await client.query('vacuum analyze')
}
