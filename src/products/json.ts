import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { Product } from './schema.ts'

/** A row of `products` as the API shows it. */
export const productJson = sql<Product>`json_build_object(
  'id', products.id, 'name', products.name, 'slug', products.slug, 'description', products.description,
  'price', products.price::text, 'stock', products.stock,
  'category', (
    select json_build_object('id', id, 'name', name, 'slug', slug) from categories where id = products.category_id
  ),
  'archivedAt', ${iso('products.archived_at')},
  'createdAt', ${iso('products.created_at')}, 'updatedAt', ${iso('products.updated_at')})`
