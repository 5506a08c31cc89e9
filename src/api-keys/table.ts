import { sql } from 'drizzle-orm'
import { check, date, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from '../db/table.ts'
import type { Role } from '../shared/actor.ts'
import type { Scope } from '../shared/scopes.ts'
import { users } from '../users/table.ts'

/** Credentials of programs. A key's object keeps a copy of its row for at most five minutes. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    name: text('name').notNull(),
    scopes: text('scopes').array().$type<Scope[]>().notNull(),
    /** What its account was when it made the key. */
    role: text('role').$type<Role>().notNull(),
    /** SHA-256 of the whole key. */
    secretHash: bytea('secret_hash').notNull(),
    /** Of the one before the last rotation, while both work. */
    previousHash: bytea('previous_hash'),
    previousUntil: moment('previous_until'),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at'),
    /** Up to a minute old. */
    lastUsedAt: moment('last_used_at'),
    revokedAt: moment('revoked_at'),
  },
  (t) => [
    unique('api_keys_secret_hash_unique').on(t.secretHash),
    check('api_keys_name_check', sql`length(${t.name}) between 1 and 100`),
    check('api_keys_scopes_check', sql`cardinality(${t.scopes}) between 1 and 50`),
    check('api_keys_role_check', sql`${t.role} in ('user', 'admin')`),
    check('api_keys_secret_hash_check', sql`length(${t.secretHash}) = 32`),
    check('api_keys_previous_hash_check', sql`length(${t.previousHash}) = 32`),
    check('api_keys_previous_check', sql`(${t.previousHash} is null) = (${t.previousUntil} is null)`),
    check('api_keys_expires_at_check', sql`${t.expiresAt} > ${t.createdAt}`),
    index('api_keys_user_id_idx').on(t.userId, t.createdAt, t.id),
    index('api_keys_revoked_at_idx').on(t.revokedAt),
  ],
)

/** Admitted requests of a key and day (UTC), as its object has told them last. */
export const apiKeyUsage = pgTable(
  'api_key_usage',
  {
    keyId: uuid('key_id')
      .notNull()
      .references(() => apiKeys.id, { onDelete: 'cascade' }),
    day: date('day').notNull(),
    requests: integer('requests').notNull(),
  },
  (t) => [
    primaryKey({ name: 'api_key_usage_pk', columns: [t.keyId, t.day] }),
    check('api_key_usage_requests_check', sql`${t.requests} > 0`),
    index('api_key_usage_day_idx').on(t.day),
  ],
)
