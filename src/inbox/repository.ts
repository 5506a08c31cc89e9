import { sql } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import { roomJson } from '../chat/json.ts'
import type { RoomState } from '../chat/room/state.ts'
import type { Database } from '../db/client.ts'
import { dataOf } from '../db/page.ts'
import { enqueue, type Origin } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'

export type InboxRepository = ReturnType<typeof createInboxRepository>

export const createInboxRepository = ({ read, write }: Database) => ({
  /** @throws UNAUTHENTICATED when the session has ended */
  async check(actor: Actor): Promise<void> {
    await read([actorGuard(actor)])
  },

  /** Sessions of the user that were ended within the last minute. */
  async justEnded(userId: string): Promise<string[]> {
    const [{ rows }] = await read([
      sql`select id from sessions where user_id = ${userId} and revoked_at > now() - interval '1 minute'`,
    ])
    return rows.map(({ id }) => String(id))
  },

  /** Conversations that the user has left within the last minute. */
  async justLeft(userId: string): Promise<RoomState[]> {
    const [rows] = await read([
      sql`select ${roomJson} as data from conversations where id in (
        select conversation_id from conversation_members
        where user_id = ${userId} and left_at > now() - interval '1 minute'
      )`,
    ])
    return dataOf<RoomState>(rows)
  },

  /** A mail about all that is unread; the same id again changes nothing. The sweeper brings the job to the queue. */
  async orderDigest(userId: string, { id, origin }: { id: string; origin: Origin }): Promise<void> {
    const payload = { template: 'unreadMessages', userId } as const
    await write([enqueue({ id, type: 'mail.send', payload, subjectId: userId, origin })])
  },
})
