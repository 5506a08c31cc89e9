import { sql, type SQL } from 'drizzle-orm'
import type { Actor } from '../shared/actor.ts'

/**
 * The first statement of every authenticated batch: the session lives, the account lives, and an administrator still
 * is one. Raises UNAUTHENTICATED or FORBIDDEN and so undoes the rest, without a round trip of its own.
 */
export const actorGuard = ({ id, role, sessionId }: Actor): SQL => sql`
  select raise_app(case when alive then 'FORBIDDEN' else 'UNAUTHENTICATED' end, null)
  from (
    select count(*) > 0 as alive, coalesce(bool_or(users.role = 'admin'), false) as admin
    from sessions join users on users.id = sessions.user_id
    where sessions.id = ${sessionId} and users.id = ${id} and sessions.revoked_at is null
      and sessions.expires_at > now() and users.deleted_at is null
  ) as actor
  where not alive or (${role} = 'admin' and not admin)`
