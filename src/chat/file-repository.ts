import { sql } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { dataOf } from '../db/page.ts'
import { raiseIf, raiseWhen } from '../db/raise.ts'
import type { Actor } from '../shared/actor.ts'
import type { ConversationFile, Released } from './conversation-file.ts'
import { isMember, lock, reachable, tellRoomOfFiles, type Sync } from './conversation-statements.ts'
import { among, filesOf, listOf, releaseFiles } from './file-statements.ts'
import type { RoomState } from './room/state.ts'

/** Files for the room to know. */
export type Shared = { conversation: RoomState['conversation']; files: ConversationFile[] }

export type ConversationFileRepository = ReturnType<typeof createConversationFileRepository>

const conversationJson = sql`json_build_object('id', conversations.id, 'version', version, 'closed', closed_at is not null)`

export const createConversationFileRepository = ({ read, write }: Database) => ({
  /**
   * Brings uploads of the actor's into a conversation; again, it gives them the conversation's next version. As with the
   * images of a product, files are locked before they are looked at: whoever deletes one at this moment waits, or is
   * seen. False: the actor sees the conversation and is no member.
   * @throws NOT_FOUND, CONVERSATION_CLOSED, VALIDATION_FAILED
   */
  async add(actor: Actor, id: string, uploadIds: readonly string[], sync: Sync): Promise<Shared | false> {
    const which = sql`conversations.id = ${id}`
    const mine = sql`${which} and ${isMember(actor)}`
    const listed = listOf(uploadIds)
    const problems = sql`from ${listed} left join uploads on uploads.id = listed.id::uuid and owner_id = ${actor.id}
      where exists (select from conversations where ${mine})`
    const [, , , , , , , , , , rows] = await write([
      actorGuard(actor),
      lock(which),
      sql`select from uploads where id in (select id::uuid from ${listed}) order by id for key share`,
      actorGuard(actor),
      raiseWhen(
        'NOT_FOUND',
        sql`not exists (select from conversations where ${which} and ${reachable(actor, 'conversations.write')})`,
      ),
      raiseWhen(
        'CONVERSATION_CLOSED',
        sql`exists (select from conversations where ${mine} and closed_at is not null)`,
      ),
      raiseIf(
        'NOT_FOUND',
        sql`select json_agg(json_build_object('field', 'uploadIds.' || n - 1, 'message', 'unknown file') order by n)
          ${problems} and uploads.id is null`,
      ),
      raiseIf(
        'VALIDATION_FAILED',
        sql`select json_agg(json_build_object('field', 'uploadIds.' || n - 1, 'message', case
            when state = 'receiving' then 'has not all arrived' else 'is ' || state end) order by n)
          ${problems} and state not in ('scanning', 'processing', 'ready')`,
      ),
      sql`with changed as (
          update conversations set version = version + 1, updated_at = now() where ${mine} returning id, version
        )
        insert into conversation_files (conversation_id, upload_id, user_id, version)
        select changed.id, listed.id::uuid, ${actor.id}, changed.version from changed cross join ${listed}
        on conflict (conversation_id, upload_id) do update set version = excluded.version`,
      tellRoomOfFiles(mine, sync),
      sql`select json_build_object('conversation', ${conversationJson}, 'files', ${filesOf(id, among(uploadIds))}) as data
        from conversations where ${mine}`,
    ])
    return dataOf<Shared>(rows)[0] ?? false
  },

  /** What was brought with that version and is still there. */
  async broughtWith(conversationId: string, version: number): Promise<Shared | undefined> {
    const [rows] = await read([
      sql`select json_build_object('conversation', ${conversationJson},
          'files', ${filesOf(conversationId, sql`shared.version = ${version}`)}) as data
        from conversations where id = ${conversationId}`,
    ])
    return dataOf<Shared>(rows)[0]
  },

  async release(conversationId: string, released: readonly Released[]): Promise<void> {
    await write([releaseFiles(conversationId, released)])
  },
})
