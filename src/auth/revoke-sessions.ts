import { sql, type SQL } from 'drizzle-orm'

/** Ends the sessions of a user, all of them or all but one: their access tokens stop at the next actor guard. */
export const revokeSessions = (userId: string | SQL, except?: string): SQL => sql`
  update sessions set revoked_at = now()
  where user_id = ${userId} and revoked_at is null and id is distinct from ${except ?? null}::uuid`
