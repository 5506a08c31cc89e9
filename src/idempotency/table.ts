import { sql } from 'drizzle-orm'
import { check, index, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from '../db/table.ts'
import { users } from '../users/table.ts'

/** What a POST answered under the client's Idempotency-Key, written in the transaction of its effect. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    actorId: uuid('actor_id')
      .notNull()
      .references(() => users.id),
    /** The operationId: one key may be used once an operation. */
    operation: text('operation').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of the validated request. */
    requestHash: bytea('request_hash').notNull(),
    status: smallint('status'),
    /** The body, byte for byte as it was sent. */
    reply: text('reply'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'idempotency_keys_pk', columns: [t.actorId, t.operation, t.key] }),
    check('idempotency_keys_key_check', sql`length(${t.key}) between 1 and 255`),
    check('idempotency_keys_hash_check', sql`length(${t.requestHash}) = 32`),
    check('idempotency_keys_status_check', sql`${t.status} between 200 and 299`),
    check('idempotency_keys_reply_check', sql`(${t.status} is null) = (${t.reply} is null)`),
    index('idempotency_keys_created_at_idx').on(t.createdAt),
  ],
)
