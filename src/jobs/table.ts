import { sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { moment } from '../db/table.ts'
import { users } from '../users/table.ts'
import type { JobState } from './state.ts'

/** Work in the background: written in the transaction that causes it, carried by the queue as an id alone. */
export const jobs = pgTable(
  'jobs',
  {
    id: uuid('id').primaryKey(),
    type: text('type').notNull(),
    payload: jsonb('payload').notNull(),
    /** What the job is about: an order, a report. */
    subjectId: uuid('subject_id'),
    /** Of a scheduled job: schedule and moment, so that a cron that fires twice makes one. */
    slotKey: text('slot_key'),
    state: text('state').$type<JobState>().notNull().default('pending'),
    runAt: moment('run_at').notNull().defaultNow(),
    /** When the sweeper sends the id (again), should nobody have taken the job by then. */
    relayAt: moment('relay_at').notNull(),
    relays: integer('relays').notNull().default(0),
    /** Counts the claims. What a consumer writes holds only while this is its own. */
    attempt: integer('attempt').notNull().default(0),
    leaseUntil: moment('lease_until'),
    failures: integer('failures').notNull().default(0),
    /** Since when it waits for something that is away; NULL once an attempt got further. */
    postponedSince: moment('postponed_since'),
    lostLeases: integer('lost_leases').notNull().default(0),
    /** It has failed for good and waits for the dead-letter queue's consumer. */
    failedAt: moment('failed_at'),
    lastError: text('last_error'),
    requestId: text('request_id').notNull(),
    traceparent: text('traceparent'),
    createdAt: moment('created_at').notNull().defaultNow(),
    finishedAt: moment('finished_at'),
  },
  (t) => [
    check('jobs_type_check', sql`length(${t.type}) between 1 and 100`),
    check(
      'jobs_payload_check',
      sql`jsonb_typeof(${t.payload}) = 'object' and length(${t.payload}::text) <= 100000`,
    ),
    check('jobs_state_check', sql`${t.state} in ('pending', 'running', 'dead', 'done', 'discarded')`),
    check('jobs_lease_check', sql`(${t.state} = 'running') = (${t.leaseUntil} is not null)`),
    check(
      'jobs_finished_check',
      sql`(${t.state} in ('dead', 'done', 'discarded')) = (${t.finishedAt} is not null)`,
    ),
    check('jobs_failures_check', sql`${t.failures} between 0 and 3`),
    check('jobs_last_error_check', sql`length(${t.lastError}) <= 2000`),
    check('jobs_request_id_check', sql`length(${t.requestId}) between 1 and 128`),
    uniqueIndex('jobs_slot_key_unique')
      .on(t.slotKey)
      .where(sql`slot_key is not null`),
    index('jobs_relay_idx')
      .on(t.relayAt)
      .where(sql`state = 'pending'`),
    index('jobs_lease_idx')
      .on(t.leaseUntil)
      .where(sql`state = 'running'`),
    index('jobs_created_at_idx').on(t.createdAt, t.id),
    index('jobs_state_created_at_idx').on(t.state, t.createdAt, t.id),
    index('jobs_type_created_at_idx').on(t.type, t.createdAt, t.id),
    index('jobs_subject_id_idx').on(t.subjectId),
    index('jobs_finished_at_idx').on(t.finishedAt),
  ],
)

/** The timeline of a job. Without an end: it runs, or its runtime was killed and nobody has noticed yet. */
export const jobAttempts = pgTable(
  'job_attempts',
  {
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    attempt: integer('attempt').notNull(),
    startedAt: moment('started_at').notNull().defaultNow(),
    endedAt: moment('ended_at'),
    outcome: text('outcome').$type<'done' | 'failed' | 'postponed' | 'lost'>(),
    error: text('error'),
  },
  (t) => [
    primaryKey({ name: 'job_attempts_pk', columns: [t.jobId, t.attempt] }),
    check('job_attempts_outcome_check', sql`${t.outcome} in ('done', 'failed', 'postponed', 'lost')`),
    check('job_attempts_ended_check', sql`(${t.endedAt} is null) = (${t.outcome} is null)`),
    check('job_attempts_error_check', sql`length(${t.error}) <= 2000`),
    index('job_attempts_ended_at_idx').on(t.endedAt),
  ],
)

/** Types that nobody runs for now. */
export const jobPauses = pgTable(
  'job_pauses',
  {
    type: text('type').primaryKey(),
    actorId: uuid('actor_id')
      .notNull()
      .references(() => users.id),
    at: moment('at').notNull().defaultNow(),
  },
  (t) => [check('job_pauses_type_check', sql`length(${t.type}) between 1 and 100`)],
)
