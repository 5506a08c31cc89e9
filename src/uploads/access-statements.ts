import { sql, type SQL } from 'drizzle-orm'
import { withinReach } from '../db/within-reach.ts'
import type { Actor } from '../shared/actor.ts'

/** Something that everyone sees shows the file, a row of `uploads`. */
export const isPublic = sql`(uploads.state = 'ready' and exists (
  select from product_images join products on products.id = product_images.product_id
  where product_images.upload_id = uploads.id and products.archived_at is null))`

/**
 * Who may read a file, a row of `uploads`: the one place that says so. Whatever files are attached to in future adds its
 * own `or exists (…)` here.
 */
export const isReadableBy = (actor: Actor | undefined): SQL => sql`(
  ${withinReach(actor, 'files.readPrivate', sql`uploads.owner_id = ${actor?.id ?? null}::uuid`)}
  or ${isPublic})`

/** Stands against the deletion of a file, a row of `uploads`, archived or not: as above, one line a kind of thing. */
export const isAttached = sql`exists (select from product_images where product_images.upload_id = uploads.id)`
