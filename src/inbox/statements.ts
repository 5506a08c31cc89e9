import { sql, type SQL } from 'drizzle-orm'
import { enqueueEach, type Origin } from '../jobs/outbox.ts'

/**
 * For any repository's batch: a job for each notification of `drafts`, a query of id, user_id, subject (jsonb, of
 * protocol.ts) and about (uuid). Answers their ids.
 */
export const enqueueNotifications = (drafts: SQL, origin: Origin): SQL =>
  enqueueEach(
    'inbox.notify',
    sql`select draft.id, jsonb_build_object('userId', user_id, 'subject', subject), about
      from (${drafts}) as draft (id, user_id, subject, about)`,
    origin,
  )
