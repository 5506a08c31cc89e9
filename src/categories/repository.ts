import { and, eq, isNull, sql } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { orderBy } from '../db/sort.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import type { Actor } from '../shared/actor.ts'
import { offsetOf } from '../shared/page.ts'
import { categoryJson } from './json.ts'
import type { Category, ChangeCategory, ListCategories } from './schema.ts'
import { categories } from './table.ts'

const sortable = { name: categories.name, createdAt: categories.createdAt }

const live = isNull(categories.archivedAt)

type NewCategory = Pick<typeof categories.$inferInsert, 'id' | 'name' | 'slug'>

export type CategoryRepository = ReturnType<typeof createCategoryRepository>

export const createCategoryRepository = ({ db, read, write }: Database) => ({
  async list({ page, limit, sort }: ListCategories) {
    const [counted, rows] = await read([
      countUpTo(categories, live),
      pageOf({
        table: categories,
        json: categoryJson,
        where: live,
        order: orderBy(sort, sortable, categories.id),
        limit,
        offset: offsetOf({ page, limit }),
      }),
    ])
    return { data: dataOf<Category>(rows), counted: countOf(counted) }
  },

  async find(by: { id: string } | { slug: string }): Promise<Category | undefined> {
    const match = 'id' in by ? eq(categories.id, by.id) : eq(categories.slug, by.slug)
    const [[row]] = await read([
      db.select({ category: categoryJson }).from(categories).where(and(match, live)),
    ])
    return row?.category
  },

  create(actor: Actor, values: NewCategory, once?: IdempotentRequest): Promise<Reply> {
    const batch = write([
      actorGuard(actor),
      ...beginOnce(actor, once),
      db.insert(categories).values(values),
      finish(actor, once, 201, sql`select ${categoryJson} from categories where id = ${values.id}`),
    ])
    return replyOf(201, batch)
  },

  async change(
    actor: Actor,
    id: string,
    { archived, ...values }: ChangeCategory,
  ): Promise<Category | undefined> {
    const restores = archived === false
    const [, [row]] = await write([
      actorGuard(actor),
      db
        .update(categories)
        .set({ ...values, ...(restores ? { archivedAt: null } : {}), updatedAt: sql`now()` })
        .where(and(eq(categories.id, id), restores ? undefined : live))
        .returning({ category: categoryJson }),
    ])
    return row?.category
  },

  /** False when there is no such category; archiving again changes nothing. */
  async archive(actor: Actor, id: string): Promise<boolean> {
    const [, { rowCount }] = await write([
      actorGuard(actor),
      sql`update categories set archived_at = coalesce(archived_at, now()),
          updated_at = case when archived_at is null then now() else updated_at end
        where id = ${id}`,
    ])
    return rowCount === 1
  },
})
