import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { createdAndUpdated, moment } from '../db/table.ts'

export const categories = pgTable(
  'categories',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull(),
    ...createdAndUpdated,
    archivedAt: moment('archived_at'),
  },
  (t) => [
    unique('categories_slug_unique').on(t.slug),
    check('categories_name_check', sql`length(${t.name}) between 2 and 80`),
    check('categories_slug_check', sql`${t.slug} ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(${t.slug}) <= 120`),
    index('categories_name_idx').on(t.name, t.id),
    index('categories_created_at_idx').on(t.createdAt, t.id),
  ],
)
