import { sql } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import { revokeSessions } from '../auth/revoke-sessions.ts'
import type { Database } from '../db/client.ts'
import { one } from '../db/one.ts'
import { enqueue, enqueueEach, type Draft, type Origin } from '../jobs/outbox.ts'
import { purgeAll } from '../shared/purge.ts'
import {
  addMailedToken,
  isUsable,
  ownerOf,
  purgeMailedTokens,
  requireUsable,
  voidMailedTokens,
} from './mailed-token-statements.ts'

const purpose = 'resetPassword'
const purposes: [typeof purpose] = [purpose]

type Forgotten = { email: string; tokenId: string; hash: string; minutes: number; mail: Draft }

type Reset = {
  /** SHA-256 (hex) of the token. */
  hash: string
  passwordHash: string
  notice: { id: string; origin: Origin }
}

export type RecoveryRepository = ReturnType<typeof createRecoveryRepository>

export const createRecoveryRepository = ({ read, write }: Database) => ({
  /**
   * The job is written whether the address is known or not: the commit, the queue and the consumer have the same work.
   * The mail of a token that was not made finds no recipient.
   */
  async forgot({ email, tokenId, hash, minutes, mail }: Forgotten): Promise<void> {
    const owner = sql`select id, null from users where email = ${email} and deleted_at is null`
    await write([addMailedToken(owner, { id: tokenId, purpose, hash, minutes }), enqueue(mail)])
  },

  /** A look before the costly hash; `reset` is what decides. */
  async isUsable(hash: string): Promise<boolean> {
    const [{ rows }] = await read([isUsable({ purposes, hash })])
    return rows[0]?.['usable'] === true
  },

  /** Answers whose password it is. @throws LINK_INVALID */
  async reset({ hash, passwordHash, notice: { id, origin } }: Reset): Promise<string> {
    const shown = { purposes, hash }
    const owner = ownerOf(shown)
    const [{ rows }] = await write([
      sql`select id from users where id = ${owner} for no key update`,
      requireUsable(shown),
      // Whoever has the link reads the account's mail: that is all that a confirmation would show.
      sql`update users set password_hash = ${passwordHash}, verified_at = coalesce(verified_at, now()), updated_at = now()
        where id = ${owner}`,
      voidMailedTokens(owner),
      revokeSessions(owner),
      enqueueEach(
        'mail.send',
        sql`select ${id}::uuid, jsonb_build_object('template', 'passwordChanged', 'userId', ${owner}), ${owner}`,
        origin,
      ),
      recordAudit({
        actor: { id: owner },
        action: 'password.reset',
        requestId: origin.requestId,
        changes: sql`select ${owner}::text, null::jsonb, null::jsonb`,
      }),
    ])
    return String(one(rows[0])['id'])
  },

  /** How many tokens were deleted that nobody can use. */
  purgeExpired: (): Promise<number> =>
    purgeAll(async () => {
      const [{ rowCount }] = await write([purgeMailedTokens()])
      return rowCount
    }),
})
