import { sql, type SQL } from 'drizzle-orm'
import type { Actor } from '../shared/actor.ts'

type Entry = {
  /** As SQL where only the database knows: `change.subject` is in reach. */
  actor: { id: Actor['id'] | SQL }
  /** `<what>.<did>`, such as job.retried. */
  action: string
  reason?: string | undefined
  requestId: string
  /** A query of subject (text), before and after (jsonb): one entry a row, none when nothing was changed. */
  changes: SQL
}

/** For the batch of what it tells of: the entry is there when, and only when, the change is. */
export const recordAudit = ({ actor, action, reason, requestId, changes }: Entry): SQL => sql`
  insert into audit_events (id, actor_id, action, subject, reason, before, after, request_id)
  select gen_random_uuid(), ${actor.id}, ${action}, change.subject, ${reason ?? null}, change.before, change.after, ${requestId}
  from (${changes}) as change (subject, before, after)`
