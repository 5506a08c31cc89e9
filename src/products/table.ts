import { sql, type SQL } from 'drizzle-orm'
import {
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAndUpdated, moment } from '../db/table.ts'
import { categories } from '../categories/table.ts'
import { uploads } from '../uploads/table.ts'

const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })

export const products = pgTable(
  'products',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull(),
    description: text('description').notNull(),
    price: numeric('price', { precision: 12, scale: 2 }).notNull(),
    stock: integer('stock').notNull(),
    categoryId: uuid('category_id').notNull(),
    ...createdAndUpdated,
    archivedAt: moment('archived_at'),
    /** Indexed in place of `stock`, so that selling one piece of many touches no index. */
    inStock: boolean('in_stock')
      .notNull()
      .generatedAlwaysAs((): SQL => sql`stock > 0`),
    search: tsvector('search')
      .notNull()
      .generatedAlwaysAs(
        (): SQL =>
          sql`setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', description), 'B')`,
      ),
  },
  (t) => [
    unique('products_slug_unique').on(t.slug),
    foreignKey({ name: 'products_category_id_fk', columns: [t.categoryId], foreignColumns: [categories.id] }),
    check('products_name_check', sql`length(${t.name}) between 2 and 200`),
    check('products_slug_check', sql`${t.slug} ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(${t.slug}) <= 240`),
    check('products_description_check', sql`length(${t.description}) <= 5000`),
    check('products_price_check', sql`${t.price} between 0 and 99999.99`),
    check('products_stock_check', sql`${t.stock} >= 0`),
    // One index a filter and sort. Price ranges use the price indexes.
    index('products_created_at_idx')
      .on(t.createdAt, t.id)
      .where(sql`archived_at is null`),
    index('products_price_idx')
      .on(t.price, t.id)
      .where(sql`archived_at is null`),
    index('products_name_idx')
      .on(t.name, t.id)
      .where(sql`archived_at is null`),
    index('products_category_created_at_idx')
      .on(t.categoryId, t.createdAt, t.id)
      .where(sql`archived_at is null`),
    // With in_stock at its end a category can be counted by price and stock in the index alone.
    index('products_category_price_idx')
      .on(t.categoryId, t.price, t.id, t.inStock)
      .where(sql`archived_at is null`),
    index('products_category_name_idx')
      .on(t.categoryId, t.name, t.id)
      .where(sql`archived_at is null`),
    index('products_in_stock_created_at_idx')
      .on(t.inStock, t.createdAt, t.id)
      .where(sql`archived_at is null`),
    index('products_in_stock_price_idx')
      .on(t.inStock, t.price, t.id)
      .where(sql`archived_at is null`),
    index('products_in_stock_name_idx')
      .on(t.inStock, t.name, t.id)
      .where(sql`archived_at is null`),
    index('products_archived_at_idx')
      .on(t.archivedAt)
      .where(sql`archived_at is not null`),
    index('products_search_idx').using('gin', t.search),
  ],
)

/** The images of a product, in the order in which it shows them. Everyone may read them while it is not archived. */
export const productImages = pgTable(
  'product_images',
  {
    productId: uuid('product_id')
      .notNull()
      .references(() => products.id),
    position: smallint('position').notNull(),
    /** Stands against the deletion of the file. */
    uploadId: uuid('upload_id')
      .notNull()
      .references(() => uploads.id),
  },
  (t) => [
    primaryKey({ name: 'product_images_pk', columns: [t.productId, t.position] }),
    // Begins with the file: whoever wants to read it, or to delete it, asks where it is shown.
    unique('product_images_upload_unique').on(t.uploadId, t.productId),
    check('product_images_position_check', sql`${t.position} between 0 and 19`),
  ],
)
