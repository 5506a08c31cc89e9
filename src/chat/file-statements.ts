import { sql, type SQL } from 'drizzle-orm'
import { variantsJson } from '../uploads/json.ts'
import type { Released } from './conversation-file.ts'

export const listOf = (ids: readonly string[]): SQL =>
  sql`json_array_elements_text(${JSON.stringify(ids)}::json) with ordinality as listed(id, n)`

export const among = (ids: readonly string[]): SQL =>
  sql`shared.upload_id in (select listed.id::uuid from ${listOf(ids)})`

/** A row of `conversation_files` beside its upload, as the room has to know it. */
const fileJson = sql`json_build_object('owner', shared.user_id, 'version', shared.version,
  'file', json_build_object('id', uploads.id, 'name', uploads.name, 'type', uploads.media_type, 'variants', ${variantsJson}))`

/** Files of a conversation, `shared`, as JSON. */
export const filesOf = (conversationId: string, where: SQL): SQL => sql`(
  select coalesce(json_agg(${fileJson} order by uploads.id), '[]'::json)
  from conversation_files as shared join uploads on uploads.id = shared.upload_id
  where shared.conversation_id = ${conversationId} and ${where})`

/** What was brought again since stays. */
export const releaseFiles = (conversationId: string, released: readonly Released[]): SQL =>
  sql`delete from conversation_files as shared
    using json_to_recordset(${JSON.stringify(released)}::json) as gone(id uuid, version int)
    where shared.conversation_id = ${conversationId} and shared.upload_id = gone.id and shared.version <= gone.version`
