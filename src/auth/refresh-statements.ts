import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import { purgeBatch } from '../shared/purge.ts'
import { sessionDays } from './session.ts'

/** The hashes (hex) of the token that is shown and of what it is to be exchanged for. */
export type Exchange = { hash: string; successorHash: string }

/** How long a lost reply may be asked for again. */
const replayWindow = sql.raw(`interval '60 seconds'`)

/** Spent tokens are kept as long as they would have lived; then they are as unknown as any other. */
const kept = sql.raw(`interval '${sessionDays} days'`)

const bytes = (hex: string): SQL => sql`decode(${hex}, 'hex')`

/** The first token of a session that this batch has opened. */
export const addFirstToken = (sessionId: string, hash: string): SQL => sql`
  insert into refresh_tokens (token_hash, session_id)
  select ${bytes(hash)}, id from sessions where id = ${sessionId}`

/**
 * First of four. Of racing requests one is inside at a time, and each later one sees in its next statement, which has a
 * snapshot of its own, what the earlier has done.
 */
export const lockFamily = ({ hash }: Exchange): SQL => sql`
  select 1 from sessions
  where id = (select session_id from refresh_tokens where token_hash = ${bytes(hash)}) for no key update`

/** Second: spends the token and adds its successor, or does nothing. */
export const spendToken = ({ hash, successorHash }: Exchange): SQL => sql`
  with spent as (
    update refresh_tokens set spent_at = now(), successor_hash = ${bytes(successorHash)}
    from sessions join users on users.id = sessions.user_id
    where token_hash = ${bytes(hash)} and spent_at is null and sessions.id = refresh_tokens.session_id
      and sessions.revoked_at is null and sessions.expires_at > now() and users.deleted_at is null
    returning session_id
  ), used as (
    update sessions set last_used_at = now(), expires_at = now() + ${kept}
    from spent where sessions.id = spent.session_id
  )
  insert into refresh_tokens (token_hash, session_id) select ${bytes(successorHash)}, session_id from spent`

/**
 * Of a row `token` of refresh_tokens: spent, and not just now for the same successor. Once that one is spent too, the
 * token is a grandparent, which no honest client still shows.
 */
const isReused = ({ successorHash }: Exchange): SQL => sql`(
  token.spent_at is not null and not (
    token.successor_hash = ${bytes(successorHash)} and token.spent_at > now() - ${replayWindow}
    and exists (select from refresh_tokens as next where next.token_hash = token.successor_hash and next.spent_at is null)
  ))`

/** The living family whose spent token is shown: a query of its id, of no row when all is well. */
export const stolenFamily = (exchange: Exchange): SQL => sql`
  select sessions.id from refresh_tokens as token join sessions on sessions.id = token.session_id
  where token.token_hash = ${bytes(exchange.hash)} and sessions.revoked_at is null and sessions.expires_at > now()
    and ${isReused(exchange)}`

/** Third, when all that is to be told of it has been written. */
export const revokeStolenFamily = (exchange: Exchange): SQL => sql`
  update sessions set revoked_at = now() where id in (${stolenFamily(exchange)})`

/** Fourth: what has become of it. No row: nobody knows the token. */
export const readVerdict = (exchange: Exchange): SQL => sql`
  select case when ${isReused(exchange)} then 'reused'
      when sessions.revoked_at is not null or sessions.expires_at <= now() or users.deleted_at is not null then 'ended'
      else 'good' end as verdict,
    sessions.id as "sessionId",
    json_build_object('id', users.id, 'name', users.name, 'email', users.email, 'role', users.role,
      'verifiedAt', ${iso('users.verified_at')}) as "user"
  from refresh_tokens as token
  join sessions on sessions.id = token.session_id join users on users.id = sessions.user_id
  where token.token_hash = ${bytes(exchange.hash)}`

export const purgeSpentTokens = (): SQL => sql`
  delete from refresh_tokens where ctid in (
    select ctid from refresh_tokens where spent_at < now() - ${kept} limit ${purgeBatch}
  )`
