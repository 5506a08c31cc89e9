import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { moment } from '../db/table.ts'
import { users } from '../users/table.ts'

/** Who did what to what, and why. Append-only: a trigger refuses every change (migration 0002). */
export const auditEvents = pgTable(
  'audit_events',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull().defaultNow(),
    actorId: uuid('actor_id')
      .notNull()
      .references(() => users.id),
    action: text('action').notNull(),
    /** The id of a job, the name of a job type. */
    subject: text('subject').notNull(),
    reason: text('reason'),
    before: jsonb('before'),
    after: jsonb('after'),
    requestId: text('request_id').notNull(),
  },
  (t) => [
    check('audit_events_action_check', sql`${t.action} ~ '^[a-zA-Z]+(\\.[a-zA-Z]+)+$'`),
    check('audit_events_subject_check', sql`length(${t.subject}) between 1 and 200`),
    check('audit_events_reason_check', sql`length(${t.reason}) between 1 and 500`),
    check('audit_events_request_id_check', sql`length(${t.requestId}) between 1 and 128`),
    index('audit_events_subject_idx').on(t.subject, t.at),
    index('audit_events_at_idx').on(t.at),
  ],
)
