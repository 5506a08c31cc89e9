import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { Upload } from './schema.ts'
import { variantsOf } from './variant.ts'

const urls = (names: readonly string[]) =>
  sql`array[${sql.join(
    names.map((name) => sql`${name}`),
    sql`, `,
  )}]::text[]`

/** A variant's name and URL from the start, what is known of it once it is ready. */
export const variantsJson = sql`(
  select json_agg((jsonb_build_object('name', variant.name, 'url', format('/api/v1/files/%s/%s', uploads.id, variant.name))
    || coalesce(uploads.variants->variant.name, '{}') - 'key' - 'etag') order by variant.n)
  from unnest(case when coalesce(uploads.media_type, uploads.declared_type) = 'application/pdf'
    then ${urls(variantsOf('application/pdf'))} else ${urls(variantsOf('image/jpeg'))} end) with ordinality as variant (name, n))`

/** A row of `uploads` as the API shows it. */
export const uploadJson = sql<Upload>`json_build_object(
  'id', uploads.id, 'ownerId', uploads.owner_id, 'name', uploads.name,
  'type', coalesce(uploads.media_type, uploads.declared_type), 'size', uploads.size,
  'sha256', case when uploads.state <> 'receiving' then uploads.sha256 end, 'status', uploads.state,
  'scan', uploads.scan, 'reason', coalesce(uploads.reason, uploads.signature), 'variants', ${variantsJson},
  'history', (
    select coalesce(
      json_agg(json_build_object('status', state, 'at', ${iso('at')}, 'detail', detail) order by upload_events.id),
      '[]'::json)
    from upload_events where upload_id = uploads.id
  ),
  'createdAt', ${iso('uploads.created_at')})`
