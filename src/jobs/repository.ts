import { and, desc, eq, or, sql, type SQL } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { dataOf } from '../db/page.ts'
import { raiseWhen } from '../db/raise.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import type { Actor } from '../shared/actor.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { purgeAll, purgeBatch } from '../shared/purge.ts'
import { failUploadsOf } from '../uploads/statements.ts'
import type { JobType } from './catalog.ts'
import { jobDetailJson, jobJson } from './json.ts'
import type { JobDetail, JobStats, JobSummary, ListJobs, RedriveJobs } from './schema.ts'
import { anew, redriveDead, statsJson } from './admin-statements.ts'
import type { Settled } from './journal.ts'
import type { Delivery } from './state.ts'
import { buryJobs, claimJobs, fillSlots, purgeJobs, relayDue, renewLeases, returnLost, settleJobs, sweepBatch, type Lease, type Outcome, type Slot } from './statements.ts' // prettier-ignore
import { jobs } from './table.ts'

/** A job that is ours to work on until its lease ends. */
export type Claimed = Lease & {
  type: string
  payload: unknown
  requestId: string
  traceparent: string | null
}

/** What the dead-letter queue's consumer found. */
export type Buried =
  | { what: 'dead'; id: string; type: string; requestId: string; error: string | null }
  | { what: 'returned' | 'alert'; id: string }

/** Who does something to jobs, with what is written into the audit. */
export type Operation = { actor: Actor; requestId: string; once: IdempotentRequest | undefined }

type Changed = { reply: Reply; deliveries: Delivery[] }

const stateOf = sql`jsonb_build_object('state', state, 'failures', failures, 'error', last_error)`

const pausedOf = (paused: boolean): SQL => sql`jsonb_build_object('paused', ${paused}::boolean)`

export type JobRepository = ReturnType<typeof createJobRepository>

export const createJobRepository = ({ db, read, write }: Database) => {
  /** Locks the job, refuses what its state does not allow, and writes `changes` with its audit entry. */
  const operate = async (
    { actor, once }: Operation,
    id: string,
    refused: SQL,
    ...changes: SQL[]
  ): Promise<Reply> =>
    await replyOf(
      200,
      write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        sql`select 1 from jobs where id = ${id} for update`,
        actorGuard(actor),
        raiseWhen('NOT_FOUND', sql`not exists (select from jobs where id = ${id})`),
        raiseWhen(
          'INVALID_TRANSITION',
          sql`exists (select from jobs where id = ${id} and state in (${refused}))`,
        ),
        ...changes,
        finish(actor, once, 200, sql`select ${jobJson} from jobs where id = ${id}`),
      ]),
    )

  return {
    async claim(ids: string[]): Promise<Claimed[]> {
      const [{ rows }] = await write([claimJobs(ids)])
      return rows as Claimed[]
    },

    /** Answers the ids whose lease is still ours. */
    async renew(leases: Lease[]): Promise<string[]> {
      const [{ rows }] = await write([renewLeases(leases)])
      return rows.map(({ id }) => String(id))
    },

    async settle(outcomes: Outcome[]): Promise<Settled[]> {
      const [{ rows }] = await write([settleJobs(outcomes)])
      return rows as Settled[]
    },

    async bury(ids: string[]): Promise<Buried[]> {
      const [{ rows }] = await write([buryJobs(ids), failUploadsOf(ids)])
      return rows as Buried[]
    },

    async sweep(): Promise<{ relayed: string[]; failed: string[]; isFull: boolean }> {
      const [, { rows }] = await write([returnLost(), relayDue()])
      const idsOf = (failed: boolean) =>
        rows.flatMap((row) => (row['failed'] === failed ? [String(row['id'])] : []))
      return { relayed: idsOf(false), failed: idsOf(true), isFull: rows.length >= sweepBatch }
    },

    async fillSlots(slots: Slot[], requestId: string): Promise<string[]> {
      const [{ rows }] = await write([fillSlots(slots, requestId)])
      return rows.map(({ id }) => String(id))
    },

    purgeExpired: () =>
      purgeAll(async () => {
        const [{ rowCount }] = await write([purgeJobs(purgeBatch)])
        return rowCount
      }),

    async list(actor: Actor, { state, type, q, cursor, limit }: ListJobs): Promise<JobSummary[]> {
      const where = and(
        state === undefined ? undefined : eq(jobs.state, state),
        type === undefined ? undefined : eq(jobs.type, type),
        q === undefined ? undefined : or(eq(jobs.id, q), eq(jobs.subjectId, q)),
        cursor && sql`(${jobs.createdAt}, ${jobs.id}) < (${cursor[0]}::timestamptz, ${cursor[1]}::uuid)`,
      )
      const [, rows] = await read([
        actorGuard(actor),
        db
          .select({ data: jobJson })
          .from(jobs)
          .where(where)
          .orderBy(desc(jobs.createdAt), desc(jobs.id))
          .limit(limit + 1),
      ])
      return rows.map(({ data }) => data)
    },

    async find(actor: Actor, id: string): Promise<JobDetail | undefined> {
      const [, [row]] = await read([
        actorGuard(actor),
        db.select({ data: jobDetailJson }).from(jobs).where(eq(jobs.id, id)),
      ])
      return row?.data
    },

    async stats(actor: Actor, types: readonly JobType[]): Promise<JobStats> {
      const [, rows] = await read([actorGuard(actor), statsJson(types)])
      const [stats] = dataOf<JobStats>(rows)
      if (stats === undefined) throw new Error('The database answered no statistics')
      return stats
    },

    async retry(by: Operation, id: string): Promise<Reply> {
      const audit = recordAudit({
        ...by,
        action: 'job.retried',
        changes: sql`select subject, before, after from changed`,
      })
      return await operate(
        by,
        id,
        sql`'running', 'done'`,
        sql`with before as (select id, ${stateOf} as was from jobs where id = ${id}),
          retried as (update jobs set ${anew}, run_at = now(), relay_at = now() + interval '30 seconds'
            from before where jobs.id = before.id returning jobs.id, was, ${stateOf} as became),
          changed as (select id::text as subject, was as before, became as after from retried)
          ${audit}`,
      )
    },

    async discard(by: Operation, id: string, reason: string): Promise<Reply> {
      const audit = recordAudit({
        ...by,
        reason,
        action: 'job.discarded',
        changes: sql`select subject, before, after from changed`,
      })
      return await operate(
        by,
        id,
        sql`'running', 'done', 'discarded'`,
        sql`with before as (select id, ${stateOf} as was from jobs where id = ${id}),
          discarded as (update jobs set state = 'discarded', finished_at = now() from before where jobs.id = before.id
            returning jobs.id, was, ${stateOf} as became),
          changed as (select id::text as subject, was as before, became as after from discarded)
          ${audit}`,
        failUploadsOf([id]),
      )
    },

    async redrive({ actor, requestId, once }: Operation, wanted: RedriveJobs): Promise<Changed> {
      const batch = write([
        actorGuard(actor),
        ...beginOnce(actor, once),
        redriveDead(wanted, (changes) => recordAudit({ actor, requestId, action: 'job.redriven', changes })),
        finish(
          actor,
          once,
          200,
          sql`select json_build_object('redriven', count(*), 'lastRunAt', max(after->>'runAt')) from audit_events
            where actor_id = ${actor.id} and action = 'job.redriven' and at = now()::timestamptz(3)
              and request_id = ${requestId}`,
        ),
      ])
      const reply = await replyOf(200, batch)
      const redriven = reply.replayed ? [] : (await batch)[4].rows
      return { reply, deliveries: redriven as Delivery[] }
    },

    async pause({ actor, requestId, once }: Operation, type: JobType): Promise<Reply> {
      const audit = recordAudit({
        actor,
        requestId,
        action: 'jobType.paused',
        changes: sql`select type, ${pausedOf(false)}, ${pausedOf(true)} from paused`,
      })
      return await replyOf(
        200,
        write([
          actorGuard(actor),
          ...beginOnce(actor, once),
          sql`with paused as (
              insert into job_pauses (type, actor_id) values (${type}, ${actor.id}) on conflict (type) do nothing returning type
            ) ${audit}`,
          finish(actor, once, 200, sql`select json_build_object('type', ${type}::text, 'paused', true)`),
        ]),
      )
    },

    async resume({ actor, requestId, once }: Operation, type: JobType): Promise<Reply> {
      const audit = recordAudit({
        actor,
        requestId,
        action: 'jobType.resumed',
        changes: sql`select type, ${pausedOf(true)}, ${pausedOf(false)} from resumed`,
      })
      return await replyOf(
        200,
        write([
          actorGuard(actor),
          ...beginOnce(actor, once),
          sql`with resumed as (delete from job_pauses where type = ${type} returning type) ${audit}`,
          // The next sweep, within 30 seconds, sends what has waited.
          sql`update jobs set relays = 0, relay_at = greatest(run_at, now()) where type = ${type} and state = 'pending'`,
          finish(actor, once, 200, sql`select json_build_object('type', ${type}::text, 'paused', false)`),
        ]),
      )
    },
  }
}
