import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytea, createdAndUpdated, moment } from '../db/table.ts'
import { users } from '../users/table.ts'
import type { TemplateName } from './letter.ts'
import type { DeliveryStatus } from './status.ts'

const templates = sql.raw(
  `'orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert', 'sessionReused', 'passwordReset', 'passwordChanged', 'verifyEmail', 'accountExists', 'confirmNewEmail', 'emailChangeAsked', 'emailChanged', 'fileInfected', 'infectedAlert', 'unreadMessages'`,
)
const statuses = sql.raw(
  `'off', 'no_recipient', 'suppressed', 'sending', 'refused', 'sent', 'delayed', 'failed', 'delivered', 'bounced', 'complained'`,
)

/** One row a `mail.send` job, however often it runs: what became of its mail. */
export const mailDeliveries = pgTable(
  'mail_deliveries',
  {
    jobId: uuid('job_id').primaryKey(),
    template: text('template').$type<TemplateName>().notNull(),
    /** NULL for mail to the operators. */
    userId: uuid('user_id').references(() => users.id),
    /** The address it goes to; NULL without one, and once the account is deleted. */
    recipient: text('recipient'),
    status: text('status').$type<DeliveryStatus>().notNull(),
    /** The provider's name for the mail, by which its events refer to it. */
    providerId: text('provider_id'),
    /** The provider's code for why it refused. */
    problem: text('problem'),
    /** Of the request that caused the mail. */
    requestId: text('request_id').notNull(),
    ...createdAndUpdated,
  },
  (t) => [
    unique('mail_deliveries_provider_id_unique').on(t.providerId),
    check('mail_deliveries_template_check', sql`${t.template} in (${templates})`),
    check('mail_deliveries_status_check', sql`${t.status} in (${statuses})`),
    check('mail_deliveries_recipient_check', sql`length(${t.recipient}) between 3 and 254`),
    check('mail_deliveries_provider_id_check', sql`length(${t.providerId}) between 1 and 100`),
    check('mail_deliveries_problem_check', sql`length(${t.problem}) <= 100`),
    check('mail_deliveries_request_id_check', sql`length(${t.requestId}) between 1 and 128`),
    // Without a word of the provider a mail has not left.
    check(
      'mail_deliveries_unsent_check',
      sql`${t.providerId} is null or ${t.status} not in ('off', 'no_recipient', 'suppressed', 'sending')`,
    ),
    index('mail_deliveries_user_id_idx').on(t.userId),
    index('mail_deliveries_created_at_idx').on(t.createdAt),
  ],
)

/** What the provider has told, each event once. */
export const mailEvents = pgTable(
  'mail_events',
  {
    /** Of the webhook message (`svix-id`): the same at every try. */
    id: text('id').primaryKey(),
    type: text('type').notNull(),
    /** NULL when the mail is none of ours, or no longer known. */
    jobId: uuid('job_id').references(() => mailDeliveries.jobId, { onDelete: 'cascade' }),
    occurredAt: moment('occurred_at').notNull(),
    receivedAt: moment('received_at').notNull().defaultNow(),
  },
  (t) => [
    check('mail_events_id_check', sql`length(${t.id}) between 1 and 100`),
    check('mail_events_type_check', sql`length(${t.type}) between 1 and 100`),
    index('mail_events_job_id_idx').on(t.jobId),
    index('mail_events_received_at_idx').on(t.receivedAt),
  ],
)

/** Addresses that get no mail any more, as hashes: enough to refuse, and no personal data to keep. */
export const mailSuppressions = pgTable(
  'mail_suppressions',
  {
    /** SHA-256 of the address in lower case. */
    addressHash: bytea('address_hash').primaryKey(),
    reason: text('reason').$type<'bounced' | 'complained'>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [
    check('mail_suppressions_hash_check', sql`length(${t.addressHash}) = 32`),
    check('mail_suppressions_reason_check', sql`${t.reason} in ('bounced', 'complained')`),
  ],
)
