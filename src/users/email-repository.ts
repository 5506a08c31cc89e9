import { sql, type SQL } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { raiseIf } from '../db/raise.ts'
import { enqueue, enqueueEach, type Draft, type Origin } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { addMailedToken, ownerOf, requireUsable, voidMailedTokens } from './mailed-token-statements.ts'
import type { MailedTokenPurpose } from './mailed-token.ts'
import { stillHasPassword } from './password-statements.ts'

const confirming: MailedTokenPurpose[] = ['verifyEmail', 'changeEmail']

/** A token for a link, and the job that mails it. */
type Link = { tokenId: string; hash: string; minutes: number; mail: { id: string; origin: Origin } }

type NewAccount = { id: string; name: string; email: string; passwordHash: string }

type EmailChange = Link & { email: string; verifiedHash: string; notice: Draft }

type Confirmation = {
  /** SHA-256 (hex) of the token. */
  hash: string
  /** Written only when the address has changed. */
  notice: { id: string; origin: Origin }
}

/**
 * One job, whoever has the address: the link when its token was made, else a mail to the account that is there already.
 * Nobody is written to when that has gone in the meantime: no account has the token's id.
 */
const mailLinkOrTell = (
  template: 'verifyEmail' | 'confirmNewEmail',
  email: string,
  subject: string,
  { tokenId, mail: { id, origin } }: Link,
): SQL =>
  enqueueEach(
    'mail.send',
    sql`select ${id}::uuid,
        case when exists (select from mailed_tokens where id = ${tokenId})
          then jsonb_build_object('template', ${template}::text, 'tokenId', ${tokenId}::uuid)
          else jsonb_build_object('template', 'accountExists', 'userId',
            coalesce((select id from users where email = ${email} and deleted_at is null), ${tokenId}::uuid))
        end, ${subject}::uuid`,
    origin,
  )

export type EmailRepository = ReturnType<typeof createEmailRepository>

export const createEmailRepository = ({ write }: Database) => ({
  /**
   * The account, when nobody has its address. Of two at once the second waits for the first and then finds it. A deleted
   * account's address is free.
   */
  async register({ id, name, email, passwordHash }: NewAccount, link: Link): Promise<void> {
    const { tokenId, hash, minutes } = link
    await write([
      sql`insert into users (id, name, email, password_hash, role)
        values (${id}, ${name}, ${email}, ${passwordHash}, 'user') on conflict (email) do nothing`,
      addMailedToken(sql`select id, email from users where id = ${id}`, {
        id: tokenId,
        purpose: 'verifyEmail',
        hash,
        minutes,
      }),
      mailLinkOrTell('verifyEmail', email, id, link),
    ])
  },

  /** The job is written in any case; without a token its mail finds no recipient. */
  async resend(email: string, { tokenId, hash, minutes }: Omit<Link, 'mail'>, mail: Draft): Promise<void> {
    const owner = sql`select id, email from users where email = ${email} and verified_at is null and deleted_at is null`
    await write([
      addMailedToken(owner, { id: tokenId, purpose: 'verifyEmail', hash, minutes }),
      enqueue(mail),
    ])
  },

  /**
   * A change that waits for its link; the one before it, if any, is void. Whether the new address is taken is told to
   * nobody but whoever has it. @throws VALIDATION_FAILED
   */
  async askChange(actor: Actor, { email, verifiedHash, notice, ...link }: EmailChange): Promise<void> {
    const { tokenId, hash, minutes } = link
    const free = sql`select ${actor.id}::uuid, ${email}::text
      where not exists (select from users where email = ${email} and deleted_at is null)`
    await write([
      actorGuard(actor),
      sql`select 1 from users where id = ${actor.id} for no key update`,
      actorGuard(actor),
      stillHasPassword(actor.id, verifiedHash),
      raiseIf(
        'VALIDATION_FAILED',
        sql`select json_build_array(json_build_object('field', 'email', 'message', 'is the address of this account'))
          from users where id = ${actor.id} and email = ${email}`,
      ),
      voidMailedTokens(actor.id, ['changeEmail']),
      addMailedToken(free, { id: tokenId, purpose: 'changeEmail', hash, minutes }),
      mailLinkOrTell('confirmNewEmail', email, actor.id, link),
      enqueue(notice),
    ])
  },

  /**
   * By the token of either mail. An address that somebody took since the change was asked for is theirs.
   * Answers whether the address has changed. @throws LINK_INVALID, EMAIL_TAKEN
   */
  async confirm({ hash, notice: { id, origin } }: Confirmation): Promise<boolean> {
    const shown = { purposes: confirming, hash }
    const owner = ownerOf(shown)
    const token = sql`token_hash = decode(${hash}, 'hex') and mailed_tokens.user_id = users.id`
    const [, , , , { rowCount: notices }] = await write([
      sql`select 1 from users where id = ${owner} for no key update`,
      requireUsable(shown),
      sql`update mailed_tokens set previous_email = users.email from users where ${token} and purpose = 'changeEmail'`,
      recordAudit({
        actor: { id: owner },
        action: 'email.confirmed',
        requestId: origin.requestId,
        changes: sql`select user_id::text, null::jsonb, jsonb_build_object('purpose', purpose)
          from mailed_tokens where token_hash = decode(${hash}, 'hex')`,
      }),
      enqueueEach(
        'mail.send',
        sql`select ${id}::uuid, jsonb_build_object('template', 'emailChanged', 'tokenId', mailed_tokens.id), user_id
          from mailed_tokens where token_hash = decode(${hash}, 'hex') and purpose = 'changeEmail'`,
        origin,
      ),
      sql`update users set email = mailed_tokens.email, updated_at = now(),
          verified_at = case when users.email = mailed_tokens.email then coalesce(users.verified_at, now()) else now() end
        from mailed_tokens where ${token}`,
      // What was mailed to the address before is worth nothing at this one.
      sql`update mailed_tokens set used_at = now() where user_id = ${owner} and used_at is null and (
        purpose = 'verifyEmail'
        or (select purpose from mailed_tokens as used where token_hash = decode(${hash}, 'hex')) = 'changeEmail')`,
    ])
    return notices > 0
  },
})
