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

/** For the living account of this address; nothing where there is none. */
export const addMailedToken = (email: string, { id, purpose, hash, minutes }: NewToken): SQL => sql`
  insert into mailed_tokens (id, user_id, purpose, token_hash, expires_at)
  select ${id}, users.id, ${purpose}, ${bytes(hash)}, now() + make_interval(mins => ${minutes})
  from users where email = ${email} and deleted_at is null`

type Shown = { purpose: MailedTokenPurpose; hash: string }

/** The account that a token is for, used or not, as SQL of one value. */
export const ownerOf = ({ purpose, hash }: Shown): SQL =>
  sql`(select user_id from mailed_tokens where token_hash = ${bytes(hash)} and purpose = ${purpose})`

const usable = ({ purpose, hash }: Shown): SQL => sql`exists (
  select from mailed_tokens join users on users.id = mailed_tokens.user_id
  where token_hash = ${bytes(hash)} and purpose = ${purpose} and used_at is null and expires_at > now()
    and users.deleted_at is null)`

export const isUsable = (shown: Shown): SQL => sql`select ${usable(shown)} as usable`

/** Behind a lock on the account's row, so that of many who show the same token one goes on. Raises LINK_INVALID. */
export const requireUsable = (shown: Shown): SQL => raiseWhen('LINK_INVALID', sql`not ${usable(shown)}`)

/** Whatever mails an account has got, their links are worth nothing any more. */
export const voidMailedTokens = (userId: string | SQL): SQL => sql`
  update mailed_tokens set used_at = now() where user_id = ${userId} and used_at is null`

export const purgeMailedTokens = (): SQL => sql`
  delete from mailed_tokens where ctid in (
    select ctid from mailed_tokens where expires_at < now() - ${kept} limit ${purgeBatch}
  )`
