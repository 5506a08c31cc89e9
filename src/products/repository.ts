import { and, eq, gte, isNotNull, isNull, lte, sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import { categories } from '../categories/table.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { one } from '../db/one.ts'
import { raiseIf } from '../db/raise.ts'
import { orderBy } from '../db/sort.ts'
import { stockMovements } from '../orders/table.ts'
import type { Actor } from '../shared/actor.ts'
import { isUuid } from '../shared/ids.ts'
import { offsetOf } from '../shared/page.ts'
import type { ChangeProduct, ChangeStock, ListProducts } from './schema.ts'
import { products } from './table.ts'

const columns = {
  id: products.id,
  name: products.name,
  slug: products.slug,
  description: products.description,
  price: products.price,
  stock: products.stock,
  category: { id: categories.id, name: categories.name, slug: categories.slug },
  archivedAt: products.archivedAt,
  createdAt: products.createdAt,
  updatedAt: products.updatedAt,
}

export type ProductRow = Pick<typeof products.$inferSelect, Exclude<keyof typeof columns, 'category'>> & {
  category: { id: string; name: string; slug: string }
}

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
>

export type ProductRepository = ReturnType<typeof createProductRepository>

export const createProductRepository = ({ db, read, write }: Database) => {
  const select = () =>
    db.select(columns).from(products).innerJoin(categories, eq(categories.id, products.categoryId))

  const byId = (id: string) => select().where(eq(products.id, id))

  /** New products may only enter a category that is not archived. */
  const categoryLives = (id: string): SQL =>
    sql`select raise_app('VALIDATION_FAILED', '[{"field":"categoryId","message":"unknown category"}]')
      where not exists (select from categories where id = ${id} and archived_at is null for key share)`

  return {
    /** `actor` is given where the question is an administrator's. */
    async list(query: ListProducts, actor: Actor | undefined) {
      const where = matching(query)
      const [, counted, rows] = await read([
        actor && actorGuard(actor),
        countUpTo(products, where),
        select()
          .where(where)
          .orderBy(...orderBy(query.sort, sortable, products.id))
          .limit(query.limit)
          .offset(offsetOf(query)),
      ])
      return { rows, counted: countOf(counted) }
    },

    async find(
      by: { id: string } | { slug: string },
      admin: Actor | undefined,
    ): Promise<ProductRow | undefined> {
      const match = 'id' in by ? eq(products.id, by.id) : eq(products.slug, by.slug)
      const visible = admin === undefined ? isNull(products.archivedAt) : undefined
      const [, [product]] = await read([admin && actorGuard(admin), select().where(and(match, visible))])
      return product
    },

    async create(actor: Actor, values: NewProduct): Promise<ProductRow> {
      const [, , , , [product]] = await write([
        actorGuard(actor),
        categoryLives(values.categoryId),
        db.insert(products).values(values),
        sql`insert into ${stockMovements} (product_id, delta, reason, actor_id)
          select id, stock, 'initial', ${actor.id} from products where id = ${values.id} and stock > 0`,
        byId(values.id),
      ])
      return one(product)
    },

    async change(
      actor: Actor,
      id: string,
      { archived, ...values }: ChangeProduct,
    ): Promise<ProductRow | undefined> {
      const [, , , [product]] = await write([
        actorGuard(actor),
        values.categoryId === undefined ? undefined : categoryLives(values.categoryId),
        db
          .update(products)
          .set({ ...values, ...(archived === false ? { archivedAt: null } : {}), updatedAt: sql`now()` })
          .where(eq(products.id, id)),
        byId(id),
      ])
      return product
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

    async changeStock(
      actor: Actor,
      id: string,
      { delta, reason }: ChangeStock,
    ): Promise<ProductRow | undefined> {
      const [, , , , [product]] = await write([
        actorGuard(actor),
        sql`select 1 from products where id = ${id} for no key update`,
        raiseIf(
          'OUT_OF_STOCK',
          sql`
          select json_agg(json_build_object('productId', id, 'requested', -${delta}::int, 'available', stock))
          from products where id = ${id} and stock + ${delta}::int < 0`,
        ),
        sql`with changed as (
            update products set stock = stock + ${delta}::int, updated_at = now() where id = ${id} returning id
          )
          insert into ${stockMovements} (product_id, delta, reason, actor_id)
          select id, ${delta}::int, ${reason}, ${actor.id} from changed`,
        byId(id),
      ])
      return product
    },
  }
}
