import { and, eq, isNull, sql } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { orderBy } from '../db/sort.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import type { Actor } from '../shared/actor.ts'
import { offsetOf } from '../shared/page.ts'
import { categoryJson } from './json.ts'
import type { Category, ListCategories } from './schema.ts'
import { categories } from './table.ts'

const sortable = { name: categories.name, createdAt: categories.createdAt }

const live = isNull(categories.archivedAt)

type NewCategory = Pick<typeof categories.$inferInsert, 'id' | 'name' | 'slug'>

type Changes = { name?: string | undefined; slug?: string | undefined }

export type CategoryRepository = ReturnType<typeof createCategoryRepository>

export const createCategoryRepository = ({ db, read, write }: Database) => ({
  async list({ page, limit, sort }: ListCategories) {
    const [counted, rows] = await read([
      countUpTo(categories, live),
      db
        .select({ category: categoryJson })
        .from(categories)
        .where(live)
        .orderBy(...orderBy(sort, sortable, categories.id))
        .limit(limit)
        .offset(offsetOf({ page, limit })),
    ])
    return { data: rows.map(({ category }) => category), counted: countOf(counted) }
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

  async change(actor: Actor, id: string, values: Changes): Promise<Category | undefined> {
    const update = db.update(categories).set({ ...values, updatedAt: sql`now()` })
    const [, [row]] = await write([
      actorGuard(actor),
      update.where(and(eq(categories.id, id), live)).returning({ category: categoryJson }),
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
