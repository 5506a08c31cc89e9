import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'

/** A row of `sessions` as the API shows it to the account of the session `current`. */
export const sessionJson = (current: string): SQL => sql`json_build_object(
  'id', sessions.id, 'device', sessions.device, 'userAgent', sessions.user_agent,
  'createdAt', ${iso('sessions.created_at')}, 'lastUsedAt', ${iso('sessions.last_used_at')},
  'expiresAt', ${iso('sessions.expires_at')}, 'current', sessions.id = ${current}::uuid)`
