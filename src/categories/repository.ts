import { and, eq, isNull, sql } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { one } from '../db/one.ts'
import { orderBy } from '../db/sort.ts'
import type { Actor } from '../shared/actor.ts'
import { offsetOf } from '../shared/page.ts'
import type { ListCategories } from './schema.ts'
import { categories } from './table.ts'

const sortable = { name: categories.name, createdAt: categories.createdAt }

const live = isNull(categories.archivedAt)

export type CategoryRow = typeof categories.$inferSelect

type Changes = { name?: string | undefined; slug?: string | undefined }

export type CategoryRepository = ReturnType<typeof createCategoryRepository>

export const createCategoryRepository = ({ db, read, write }: Database) => ({
  async list({ page, limit, sort }: ListCategories) {
    const [counted, rows] = await read([
      countUpTo(categories, live),
      db
        .select()
        .from(categories)
        .where(live)
        .orderBy(...orderBy(sort, sortable, categories.id))
        .limit(limit)
        .offset(offsetOf({ page, limit })),
    ])
    return { rows, counted: countOf(counted) }
  },

  async find(by: { id: string } | { slug: string }): Promise<CategoryRow | undefined> {
    const match = 'id' in by ? eq(categories.id, by.id) : eq(categories.slug, by.slug)
    const [[category]] = await read([db.select().from(categories).where(and(match, live))])
    return category
  },

  async create(actor: Actor, values: Pick<CategoryRow, 'id' | 'name' | 'slug'>): Promise<CategoryRow> {
    const [, [category]] = await write([actorGuard(actor), db.insert(categories).values(values).returning()])
    return one(category)
  },

  async change(actor: Actor, id: string, values: Changes): Promise<CategoryRow | undefined> {
    const update = db.update(categories).set({ ...values, updatedAt: sql`now()` })
    const [, [category]] = await write([
      actorGuard(actor),
      update.where(and(eq(categories.id, id), live)).returning(),
    ])
    return category
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
