import { sql, type SQL } from 'drizzle-orm'
import { withinReach } from '../db/within-reach.ts'
import { enqueueEach, type Origin } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { can, type Action } from '../shared/can.ts'

/** The job that tells the room, should we not come to it. */
export type Sync = { id: string; origin: Origin }

/** Moments are kept in milliseconds. */
export const thisMoment = sql.raw('now()::timestamptz(3)')

/** For every change of members, state or files: whoever makes one waits here for the other. */
export const lock = (which: SQL): SQL => sql`select 1 from conversations where ${which} for no key update`

/** The actor is a member of the conversation of this row; who is none of the shop's any more is nobody there. */
export const isMember = (actor: Actor): SQL =>
  sql`exists (select from conversation_members as own
    where own.conversation_id = conversations.id and own.user_id = ${actor.id} and own.left_at is null
      and (own.role <> 'shop' or ${can(actor, 'conversations.serve')}::boolean))`

/** Conversations of others do not exist, except to administrators. */
export const reachable = (actor: Actor, action: Action): SQL => withinReach(actor, action, isMember(actor))

/** For the transaction that may have changed the conversation: the room learns of it, whatever becomes of us. */
export const tellRoom = (which: SQL, { id, origin }: Sync): SQL =>
  enqueueEach(
    'chat.members',
    sql`select ${id}::uuid, jsonb_build_object('conversationId', conversations.id), conversations.id
      from conversations where ${which} and updated_at = ${thisMoment}`,
    origin,
  )

/** The same of the files that were brought with this change. */
export const tellRoomOfFiles = (which: SQL, { id, origin }: Sync): SQL =>
  enqueueEach(
    'chat.files',
    sql`select ${id}::uuid, jsonb_build_object('conversationId', conversations.id, 'version', version), conversations.id
      from conversations where ${which} and updated_at = ${thisMoment}`,
    origin,
  )
