import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from '../db/table.ts'
import { users } from '../users/table.ts'

/** One row a login: a session, and the family of its refresh tokens. Access tokens name it in `sid`; revoking it ends all. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    /** What the client calls itself. */
    device: text('device'),
    userAgent: text('user_agent'),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** Login or the last refresh. */
    lastUsedAt: moment('last_used_at').notNull().defaultNow(),
    /** 30 days after that. */
    expiresAt: moment('expires_at').notNull(),
    revokedAt: moment('revoked_at'),
  },
  (t) => [
    check('sessions_device_check', sql`length(${t.device}) between 1 and 100`),
    check('sessions_user_agent_check', sql`length(${t.userAgent}) <= 256`),
    check('sessions_expires_at_check', sql`${t.expiresAt} > ${t.createdAt}`),
    index('sessions_user_id_idx').on(t.userId, t.lastUsedAt, t.id),
    index('sessions_expires_at_idx').on(t.expiresAt),
  ],
)

/** Tokens that were given out, as hashes: the live one of each family, and the spent ones by which reuse is known. */
export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    /** SHA-256 of the token. */
    tokenHash: bytea('token_hash').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    spentAt: moment('spent_at'),
    /** SHA-256 of what it was spent for. */
    successorHash: bytea('successor_hash'),
  },
  (t) => [
    check('refresh_tokens_token_hash_check', sql`length(${t.tokenHash}) = 32`),
    check('refresh_tokens_successor_hash_check', sql`length(${t.successorHash}) = 32`),
    check('refresh_tokens_spent_check', sql`(${t.spentAt} is null) = (${t.successorHash} is null)`),
    // Never two live chains, whatever the code does.
    uniqueIndex('refresh_tokens_live_once')
      .on(t.sessionId)
      .where(sql`spent_at is null`),
    index('refresh_tokens_session_id_idx').on(t.sessionId),
    index('refresh_tokens_spent_at_idx').on(t.spentAt),
  ],
)
