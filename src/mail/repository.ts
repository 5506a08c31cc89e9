import { eq, inArray, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { one } from '../db/one.ts'
import type { MailOrder } from '../jobs/catalog.ts'
import { purgeAll, purgeBatch } from '../shared/purge.ts'
import { addressOf, letterOf, userOf } from './facts.ts'
import type { Letter } from './letter.ts'
import type { Receipt } from './schema.ts'
import { before, unsent, type DeliveryStatus } from './status.ts'
import { mailDeliveries } from './table.ts'

/** What was sent to whom is personal: it is kept this long, as long as a complaint may take to come. */
const kept = sql.raw(`interval '90 days'`)

const hashOf = (address: SQL): SQL => sql`sha256(convert_to(lower(${address}), 'UTF8'))`

const recipientOf = (mail: MailOrder, opsEmail: string | undefined): SQL => {
  const user = userOf(mail)
  return user === undefined
    ? sql`select null::uuid, ${opsEmail ?? null}::text`
    : sql`select users.id, case when users.id is not null then ${addressOf(mail)} end
        from (select) as always left join users on users.id = ${user} and deleted_at is null`
}

type Begin = {
  jobId: string
  mail: MailOrder
  requestId: string
  /** Where mail to the operators goes. */
  opsEmail: string | undefined
  /** Mail is switched off: only recorded. */
  off: boolean
}

type Event = {
  /** Of the webhook message. */
  id: string
  type: string
  at: Date
  status: DeliveryStatus
  providerId: string
  jobId: string | undefined
  suppresses: boolean
}

export type MailRepository = ReturnType<typeof createMailRepository>

export const createMailRepository = ({ db, write }: Database) => ({
  /**
   * Records the delivery before anything leaves, so that events find it however early they come, and answers all that
   * the mail is made from. A delivery that was sent stays as it is.
   */
  async begin({ jobId, mail, requestId, opsEmail, off }: Begin) {
    const user = userOf(mail)
    const [, , [row]] = await write([
      // Orders this against a deletion of the account, which takes the address out of the rows that it sees.
      user && sql`select 1 from users where id = ${user} for share`,
      sql`insert into mail_deliveries (job_id, template, user_id, recipient, status, request_id)
        select ${jobId}, ${mail.template}, user_id, address,
          case when ${off} then 'off' when address is null then 'no_recipient'
            when exists (select from mail_suppressions where address_hash = ${hashOf(sql`address`)}) then 'suppressed'
            else 'sending' end,
          ${requestId}
        from (${recipientOf(mail, opsEmail)}) as recipient(user_id, address)
        on conflict (job_id) do update
        set user_id = excluded.user_id, recipient = excluded.recipient, status = excluded.status, problem = null,
          updated_at = now()
        where ${inArray(mailDeliveries.status, unsent)}`,
      db
        .select({
          status: mailDeliveries.status,
          recipient: mailDeliveries.recipient,
          letter: sql<Letter | null>`(${letterOf(mail)})`,
        })
        .from(mailDeliveries)
        .where(eq(mailDeliveries.jobId, jobId)),
    ])
    return one(row)
  },

  /** An event may have told more than this already, and then stands. */
  async taken(jobId: string, providerId: string | undefined): Promise<void> {
    await write([
      sql`update mail_deliveries set updated_at = now(), provider_id = coalesce(provider_id, ${providerId ?? null}),
          status = case when ${inArray(mailDeliveries.status, unsent)} then 'sent' else status end
        where job_id = ${jobId}`,
    ])
  },

  async refused(jobId: string, problem: string): Promise<void> {
    await write([
      sql`update mail_deliveries set status = 'refused', problem = ${problem}, updated_at = now()
        where job_id = ${jobId} and ${inArray(mailDeliveries.status, unsent)}`,
    ])
  },

  /** The event, what it changes and whom it suppresses: all of it once, or nothing. */
  async record({ id, type, at, status, providerId, jobId, suppresses }: Event): Promise<Receipt['outcome']> {
    const [{ rows }] = await write([
      sql`with delivery as (
          select job_id, recipient from mail_deliveries where provider_id = ${providerId} or job_id = ${jobId ?? null}
          limit 1
        ), fresh as (
          insert into mail_events (id, type, job_id, occurred_at)
          values (${id}, ${type}, (select job_id from delivery), ${at.toISOString()})
          on conflict (id) do nothing returning job_id
        ), changed as (
          update mail_deliveries set status = ${status}, provider_id = coalesce(provider_id, ${providerId}), updated_at = now()
          from fresh where mail_deliveries.job_id = fresh.job_id and ${inArray(mailDeliveries.status, before(status))}
        ), suppressed as (
          insert into mail_suppressions (address_hash, reason)
          select ${hashOf(sql`recipient`)}, ${status} from delivery join fresh using (job_id)
          where ${suppresses} and recipient is not null
          on conflict (address_hash) do nothing
        )
        select case when count(*) = 0 then 'repeated' when count(job_id) = 0 then 'unknown' else 'recorded' end as outcome
        from fresh`,
    ])
    return one(rows[0])['outcome'] as Receipt['outcome']
  },

  /** How many deliveries and events were deleted; suppressed addresses stay. */
  async purgeExpired(): Promise<number> {
    const events = await purgeAll(async () => {
      const [{ rowCount }] = await write([
        sql`delete from mail_events where ctid in (
          select ctid from mail_events where received_at < now() - ${kept} limit ${purgeBatch}
        )`,
      ])
      return rowCount
    })
    const deliveries = await purgeAll(async () => {
      const [{ rowCount }] = await write([
        sql`delete from mail_deliveries where ctid in (
          select ctid from mail_deliveries where created_at < now() - ${kept} limit ${purgeBatch}
        )`,
      ])
      return rowCount
    })
    return events + deliveries
  },
})
