import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytea, createdAndUpdated, moment } from '../db/table.ts'
import type { Role } from '../shared/actor.ts'
import type { Plan } from '../shared/plans.ts'
import type { MailedTokenPurpose } from './mailed-token.ts'

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    passwordHash: text('password_hash').notNull(),
    role: text('role').$type<Role>().notNull(),
    /** What its API keys may ask. */
    plan: text('plan').$type<Plan>().notNull().default('free'),
    ...createdAndUpdated,
    /** When it was known that whoever has the account reads the mail of its address. */
    verifiedAt: moment('verified_at'),
    /** A deleted account keeps its row for its orders, without personal data. */
    deletedAt: moment('deleted_at'),
  },
  (t) => [
    unique('users_email_unique').on(t.email),
    check('users_email_check', sql`${t.email} = lower(${t.email}) and length(${t.email}) between 3 and 254`),
    check('users_name_check', sql`length(${t.name}) between 2 and 100`),
    check('users_role_check', sql`${t.role} in ('user', 'admin')`),
    check('users_plan_check', sql`${t.plan} in ('free', 'pro', 'enterprise')`),
    // One index a sort, one a role and sort; `q` finds any part of a name or address.
    index('users_created_at_idx')
      .on(t.createdAt, t.id)
      .where(sql`deleted_at is null`),
    index('users_name_idx')
      .on(t.name, t.id)
      .where(sql`deleted_at is null`),
    index('users_email_idx')
      .on(t.email, t.id)
      .where(sql`deleted_at is null`),
    index('users_role_created_at_idx')
      .on(t.role, t.createdAt, t.id)
      .where(sql`deleted_at is null`),
    index('users_role_name_idx')
      .on(t.role, t.name, t.id)
      .where(sql`deleted_at is null`),
    index('users_role_email_idx')
      .on(t.role, t.email, t.id)
      .where(sql`deleted_at is null`),
    index('users_name_trgm_idx')
      .using('gin', t.name.op('gin_trgm_ops'))
      .where(sql`deleted_at is null`),
    index('users_email_trgm_idx')
      .using('gin', t.email.op('gin_trgm_ops'))
      .where(sql`deleted_at is null`),
  ],
)

/** What a link in a mail proves: that whoever follows it reads the account's mail. Each works once. */
export const mailedTokens = pgTable(
  'mailed_tokens',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    purpose: text('purpose').$type<MailedTokenPurpose>().notNull(),
    /** The address that its use confirms; NULL where it confirms whatever the account has. */
    email: text('email'),
    /** What the account had before its address was changed by it: there its owner is told. */
    previousEmail: text('previous_email'),
    /** SHA-256 of the token, which is derived from the id when the mail is made. */
    tokenHash: bytea('token_hash').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    /** When it was used, or made useless by what came in between. */
    usedAt: moment('used_at'),
  },
  (t) => [
    unique('mailed_tokens_token_hash_unique').on(t.tokenHash),
    check(
      'mailed_tokens_purpose_check',
      sql`${t.purpose} in ('resetPassword', 'verifyEmail', 'changeEmail')`,
    ),
    check('mailed_tokens_email_check', sql`(${t.purpose} = 'resetPassword') = (${t.email} is null)`),
    check('mailed_tokens_token_hash_check', sql`length(${t.tokenHash}) = 32`),
    check('mailed_tokens_expires_at_check', sql`${t.expiresAt} > ${t.createdAt}`),
    index('mailed_tokens_user_id_idx').on(t.userId),
    index('mailed_tokens_expires_at_idx').on(t.expiresAt),
  ],
)
