import { and, eq, gte, isNotNull, isNull, lte, sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseIf, raiseWhen } from '../db/raise.ts'
import { orderBy } from '../db/sort.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import { stockMovements } from '../orders/table.ts'
import type { Actor } from '../shared/actor.ts'
import { can } from '../shared/can.ts'
import { isUuid } from '../shared/ids.ts'
import { offsetOf } from '../shared/page.ts'
import { showImages } from './image-statements.ts'
import { productJson } from './json.ts'
import type { ChangeProduct, ChangeStock, ListProducts, Product } from './schema.ts'
import { maxStock } from './stock.ts'
import { products } from './table.ts'

const sortable = { createdAt: products.createdAt, name: products.name, price: products.price }

const inCategory = (category: string): SQL =>
  isUuid(category)
    ? eq(products.categoryId, category)
    : sql`${products.categoryId} = (select id from categories where slug = ${category})`

const matching = ({ category, q, minPrice, maxPrice, inStock, archived }: ListProducts): SQL | undefined =>
  and(
    archived === true ? isNotNull(products.archivedAt) : isNull(products.archivedAt),
    category === undefined ? undefined : inCategory(category),
    q === undefined ? undefined : sql`${products.search} @@ websearch_to_tsquery('english', ${q})`,
    minPrice === undefined ? undefined : gte(products.price, minPrice),
    maxPrice === undefined ? undefined : lte(products.price, maxPrice),
    inStock === undefined ? undefined : eq(products.inStock, inStock),
  )

type NewProduct = Pick<
  typeof products.$inferInsert,
  'id' | 'name' | 'slug' | 'description' | 'price' | 'stock' | 'categoryId'
> & { imageIds: string[] }

export type ProductRepository = ReturnType<typeof createProductRepository>

/** A product may only enter a category that is not archived. */
const categoryLives = (id: SQL): SQL =>
  sql`select raise_app('VALIDATION_FAILED', '[{"field":"categoryId","message":"unknown category"}]')
    where not exists (select from categories where id = ${id} and archived_at is null for share)`

export const createProductRepository = ({ db, read, write }: Database) => {
  const made = (id: string): SQL => sql`select ${productJson} from products where id = ${id}`

  return {
    async list(actor: Actor | undefined, query: ListProducts) {
      const where = matching(query)
      const [, counted, rows] = await read([
        actor && actorGuard(actor),
        countUpTo(products, where),
        pageOf({
          table: products,
          json: productJson,
          where,
          order: orderBy(query.sort, sortable, products.id),
          limit: query.limit,
          offset: offsetOf(query),
          searches: query.q !== undefined,
        }),
      ])
      return { data: dataOf<Product>(rows), counted: countOf(counted) }
    },

    /** Administrators also see archived products. */
    async find(
      actor: Actor | undefined,
      by: { id: string } | { slug: string },
    ): Promise<Product | undefined> {
      const match = 'id' in by ? eq(products.id, by.id) : eq(products.slug, by.slug)
      const visible = can(actor, 'products.readArchived') ? undefined : isNull(products.archivedAt)
      const [, [row]] = await read([
        actor && actorGuard(actor),
        db.select({ product: productJson }).from(products).where(and(match, visible)),
      ])
      return row?.product
    },

    create(actor: Actor, { imageIds, ...values }: NewProduct, once?: IdempotentRequest): Promise<Reply> {
      const batch = write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        categoryLives(sql`${values.categoryId}::uuid`),
        db.insert(products).values(values),
        sql`insert into ${stockMovements} (product_id, delta, reason, actor_id)
          select id, stock, 'initial', ${actor.id} from products where id = ${values.id} and stock > 0`,
        ...(imageIds.length === 0 ? [] : showImages(actor, values.id, imageIds)),
        finish(actor, once, 201, made(values.id)),
      ])
      return replyOf(201, batch)
    },

    change(actor: Actor, id: string, { archived, imageIds, ...values }: ChangeProduct): Promise<Reply> {
      const batch = write([
        actorGuard(actor),
        values.categoryId === undefined ? undefined : categoryLives(sql`${values.categoryId}::uuid`),
        archived === false && values.categoryId === undefined
          ? categoryLives(sql`(select category_id from products where id = ${id})`)
          : undefined,
        db
          .update(products)
          .set({ ...values, ...(archived === false ? { archivedAt: null } : {}), updatedAt: sql`now()` })
          .where(eq(products.id, id)),
        raiseWhen('NOT_FOUND', sql`not exists (select from products where id = ${id})`),
        ...(imageIds === undefined ? [] : showImages(actor, id, imageIds)),
        finish(actor, undefined, 200, made(id)),
      ])
      return replyOf(200, batch)
    },

    /** False when there is no such product; archiving again changes nothing. */
    async archive(actor: Actor, id: string): Promise<boolean> {
      const [, { rowCount }] = await write([
        actorGuard(actor),
        sql`update products set archived_at = coalesce(archived_at, now()),
            updated_at = case when archived_at is null then now() else updated_at end
          where id = ${id}`,
      ])
      return rowCount === 1
    },

    changeStock(
      actor: Actor,
      id: string,
      { delta, reason }: ChangeStock,
      once?: IdempotentRequest,
    ): Promise<Reply> {
      const batch = write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        sql`select 1 from products where id = ${id} for no key update`,
        actorGuard(actor),
        raiseWhen('NOT_FOUND', sql`not exists (select from products where id = ${id})`),
        raiseIf(
          'VALIDATION_FAILED',
          sql`select json_build_array(json_build_object('field', 'delta', 'message', 'takes the stock beyond ' || ${maxStock}::int))
            from products where id = ${id} and stock::bigint + ${delta}::int > ${maxStock}::int and ${delta}::int > 0`,
        ),
        raiseIf(
          'OUT_OF_STOCK',
          sql`select json_agg(json_build_object('productId', id, 'requested', -${delta}::int, 'available', stock))
            from products where id = ${id} and stock + ${delta}::int < 0`,
        ),
        sql`update products set stock = stock + ${delta}::int, updated_at = now() where id = ${id}`,
        sql`insert into ${stockMovements} (product_id, delta, reason, actor_id)
          values (${id}, ${delta}::int, ${reason}, ${actor.id})`,
        finish(actor, once, 200, made(id)),
      ])
      return replyOf(200, batch)
    },
  }
}
