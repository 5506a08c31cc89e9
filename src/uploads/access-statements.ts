import { sql, type SQL } from 'drizzle-orm'
import { withinReach } from '../db/within-reach.ts'
import type { Actor } from '../shared/actor.ts'
import { can } from '../shared/can.ts'

/** Something that everyone sees shows the file, a row of `uploads`. */
export const isPublic = sql`(uploads.state = 'ready' and exists (
  select from product_images join products on products.id = product_images.product_id
  where product_images.upload_id = uploads.id and products.archived_at is null))`

/**
 * Who may read a file, a row of `uploads`: the one place that says so. Of a conversation that it was brought into, those
 * who are members now.
 */
export const isReadableBy = (actor: Actor | undefined): SQL => sql`(
  ${withinReach(actor, 'files.readPrivate', sql`uploads.owner_id = ${actor?.id ?? null}::uuid`)}
  or ${isPublic}
  or exists (
    select from conversation_files
      join conversation_members as member on member.conversation_id = conversation_files.conversation_id
    where conversation_files.upload_id = uploads.id and member.user_id = ${actor?.id ?? null}::uuid
      and member.left_at is null
      and (member.role <> 'shop' or ${actor !== undefined && can(actor, 'conversations.serve')}::boolean)))`

/** Stands against the deletion of a file, a row of `uploads`, archived or not: one line a kind of thing. */
export const isAttached = sql`(
  exists (select from product_images where product_images.upload_id = uploads.id)
  or exists (select from conversation_files where conversation_files.upload_id = uploads.id))`
