import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { Category } from './schema.ts'

/** A row of `categories` as the API shows it. */
export const categoryJson = sql<Category>`json_build_object(
  'id', categories.id, 'name', categories.name, 'slug', categories.slug,
  'archivedAt', ${iso('categories.archived_at')},
  'createdAt', ${iso('categories.created_at')}, 'updatedAt', ${iso('categories.updated_at')})`
