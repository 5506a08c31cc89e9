import { sql, type SQL } from 'drizzle-orm'
import type { Actor, KeyActor, UserActor } from '../shared/actor.ts'

/** Of a session: it lives, and so does its account. */
const ofSession = ({ id, sessionId }: UserActor): SQL => sql`
  from sessions join users on users.id = sessions.user_id
  where sessions.id = ${sessionId} and users.id = ${id} and sessions.revoked_at is null
    and sessions.expires_at > now() and users.deleted_at is null`

/** Of an API key: it lives, what was sent is still it, and its account lives. */
const ofKey = ({ id, keyId, secretHash }: KeyActor): SQL => sql`
  from api_keys join users on users.id = api_keys.user_id
  where api_keys.id = ${keyId} and users.id = ${id} and api_keys.revoked_at is null
    and (api_keys.expires_at is null or api_keys.expires_at > now()) and users.deleted_at is null
    and (secret_hash = decode(${secretHash}, 'hex')
      or (previous_hash = decode(${secretHash}, 'hex') and previous_until > now()))`

/**
 * The first statement of every authenticated batch: the session or key lives, the account lives, and an administrator
 * still is one. Raises UNAUTHENTICATED or FORBIDDEN and so undoes the rest, without a round trip of its own. Work of our
 * own has shown no credential that could have ended.
 */
export const actorGuard = (actor: Actor): SQL => {
  if (actor.kind === 'system') return sql`select where false`
  // oxlint-disable-next-line selvedge/roles -- whether the credential still says the truth, not what it may
  return sql`
  select raise_app(case when alive then 'FORBIDDEN' else 'UNAUTHENTICATED' end, null)
  from (
    select count(*) > 0 as alive, coalesce(bool_or(users.role = 'admin'), false) as admin
    ${actor.kind === 'user' ? ofSession(actor) : ofKey(actor)}
  ) as actor
  where not alive or (${actor.role} = 'admin' and not admin)`
}
