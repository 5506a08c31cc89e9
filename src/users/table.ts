import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { createdAndUpdated, moment } from '../db/table.ts'
import type { Role } from '../shared/actor.ts'

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    passwordHash: text('password_hash').notNull(),
    role: text('role').$type<Role>().notNull(),
    ...createdAndUpdated,
    /** A deleted account keeps its row for its orders, without personal data. */
    deletedAt: moment('deleted_at'),
  },
  (t) => [
    unique('users_email_unique').on(t.email),
    check('users_email_check', sql`${t.email} = lower(${t.email}) and length(${t.email}) between 3 and 254`),
    check('users_name_check', sql`length(${t.name}) between 2 and 100`),
    check('users_role_check', sql`${t.role} in ('user', 'admin')`),
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
