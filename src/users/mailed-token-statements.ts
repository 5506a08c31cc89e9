import { sql, type SQL } from 'drizzle-orm'
import { raiseWhen } from '../db/raise.ts'
import { purgeBatch } from '../shared/purge.ts'
import type { MailedTokenPurpose } from './mailed-token.ts'

const bytes = (hex: string): SQL => sql`decode(${hex}, 'hex')`

/** How long an unusable token is kept, to be seen by whoever asks what happened. */
const kept = sql.raw(`interval '7 days'`)

type NewToken = {
  id: string
  purpose: MailedTokenPurpose
  /** SHA-256 in hex. */
  hash: string
  minutes: number
}

/** For each account that `owners` has, a query of id and of the address that is to be confirmed, if any. */
export const addMailedToken = (owners: SQL, { id, purpose, hash, minutes }: NewToken): SQL => sql`
  insert into mailed_tokens (id, user_id, purpose, email, token_hash, expires_at)
  select ${id}, owner.id, ${purpose}, owner.email, ${bytes(hash)}, now() + make_interval(mins => ${minutes})
  from (${owners}) as owner (id, email)`

type Shown = { purposes: MailedTokenPurpose[]; hash: string }

const isShown = ({ purposes, hash }: Shown): SQL =>
  sql`token_hash = ${bytes(hash)} and purpose in ${purposes}`

/** The account that a token is for, used or not, as SQL of one value. */
export const ownerOf = (shown: Shown): SQL => sql`(select user_id from mailed_tokens where ${isShown(shown)})`

/** A link that confirms the account's address is for the address that it had then. */
const usable = (shown: Shown): SQL => sql`exists (
  select from mailed_tokens join users on users.id = mailed_tokens.user_id
  where ${isShown(shown)} and used_at is null and expires_at > now() and users.deleted_at is null
    and (purpose <> 'verifyEmail' or mailed_tokens.email = users.email))`

export const isUsable = (shown: Shown): SQL => sql`select ${usable(shown)} as usable`

/** Behind a lock on the account's row, so that of many who show the same token one goes on. Raises LINK_INVALID. */
export const requireUsable = (shown: Shown): SQL => raiseWhen('LINK_INVALID', sql`not ${usable(shown)}`)

/** Whatever mails an account has got, of these purposes or of all, their links are worth nothing any more. */
export const voidMailedTokens = (userId: string | SQL, purposes?: MailedTokenPurpose[]): SQL => sql`
  update mailed_tokens set used_at = now()
  where user_id = ${userId} and used_at is null and ${purposes === undefined ? sql`true` : sql`purpose in ${purposes}`}`

/** For the batch that deletes an account: the addresses that it once had, or was to have, go too. */
export const forgetMailedTokens = (userId: string): SQL =>
  sql`delete from mailed_tokens where user_id = ${userId}`

export const purgeMailedTokens = (): SQL => sql`
  delete from mailed_tokens where ctid in (
    select ctid from mailed_tokens where expires_at < now() - ${kept} limit ${purgeBatch}
  )`
