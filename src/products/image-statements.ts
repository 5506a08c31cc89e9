import { sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import { raiseIf } from '../db/raise.ts'
import type { Actor } from '../shared/actor.ts'

/**
 * The images of a product in place of all that it had; stands behind a write to the product, whose lock keeps two who
 * do this apart. Files are locked before they are looked at: whoever deletes one at this moment waits, or is seen.
 *
 * What a product shows everyone sees: an administrator may show files of their own, and those that the product shows
 * already, but no file of somebody else.
 */
export const showImages = (actor: Actor, productId: string, imageIds: readonly string[]): SQL[] => {
  const listed = sql`json_array_elements_text(${JSON.stringify(imageIds)}::json) with ordinality as listed(id, n)`
  return [
    sql`select from uploads where id in (select id::uuid from ${listed}) order by id for key share`,
    actorGuard(actor),
    raiseIf(
      'VALIDATION_FAILED',
      sql`select json_agg(json_build_object('field', 'imageIds.' || n - 1, 'message', problem) order by n)
        from ${listed}
          left join uploads on uploads.id = listed.id::uuid and (
            owner_id = ${actor.id}
            or exists (select from product_images where upload_id = uploads.id and product_id = ${productId})
          ),
          lateral (select case
            when uploads.id is null then 'unknown image'
            when state <> 'ready' then 'is not ready'
            when not variants ? 'thumb' then 'is not an image'
          end) as verdict(problem)
        where problem is not null`,
    ),
    sql`delete from product_images where product_id = ${productId}`,
    sql`insert into product_images (product_id, position, upload_id)
      select ${productId}, n - 1, id::uuid from ${listed}`,
  ]
}
