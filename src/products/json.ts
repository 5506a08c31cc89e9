import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { Product } from './schema.ts'

const variantJson = (name: string) =>
  sql.raw(`json_build_object(
  'url', '/api/v1/files/' || uploads.id || '/${name}',
  'width', uploads.variants -> '${name}' -> 'width', 'height', uploads.variants -> '${name}' -> 'height')`)

const imagesJson = sql`coalesce((
    select json_agg(json_build_object('id', uploads.id, 'variants', json_build_object(
      'thumb', ${variantJson('thumb')}, 'medium', ${variantJson('medium')}, 'full', ${variantJson('full')}
    )) order by position)
    from product_images join uploads on uploads.id = upload_id and state = 'ready'
    where product_id = products.id
  ), '[]')`

/** A row of `products` as the API shows it. */
export const productJson = sql<Product>`json_build_object(
  'id', products.id, 'name', products.name, 'slug', products.slug, 'description', products.description,
  'price', products.price::text, 'stock', products.stock,
  'category', (
    select json_build_object('id', id, 'name', name, 'slug', slug) from categories where id = products.category_id
  ),
  'images', ${imagesJson},
  'archivedAt', ${iso('products.archived_at')},
  'createdAt', ${iso('products.created_at')}, 'updatedAt', ${iso('products.updated_at')})`
