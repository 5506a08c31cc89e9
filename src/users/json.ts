import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { User } from './schema.ts'

/** A row of `users` as the API shows it. */
export const userJson = sql<User>`json_build_object(
  'id', users.id, 'name', users.name, 'email', users.email, 'role', users.role, 'plan', users.plan,
  'verifiedAt', ${iso('users.verified_at')},
  'createdAt', ${iso('users.created_at')}, 'updatedAt', ${iso('users.updated_at')})`
