import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import { derivedId } from '../db/derived-id.ts'

/** How long a claim holds; the consumer renews it three times as often. */
const lease = sql`interval '30 seconds'`

/** Failures that make a job dead. */
const maxFailures = 3

/** Leases that a job may lose (its runtime was killed, say) before that counts as a failure for good. */
const maxLostLeases = 10

/** After the first failure 10 s, after the second 30 s, give or take a tenth. */
const retryGap = sql`interval '10 seconds' * 3 ^ failures * jitter`

/** For so long a job waits for something that is away before each further attempt counts as a failure. */
const maxPostponement = sql`interval '1 day'`

/** At first 15 s, then as long again as it has waited already, 10 minutes at most. */
const postponedGap = sql`greatest(interval '15 seconds', least(interval '10 minutes', now() - coalesce(postponed_since, now()))) * jitter`

/** Operators hear of it when it has lasted so long, and once an hour for a type. */
const patience = sql`interval '10 minutes'`

/**
 * What nobody took when its time had come is sent again after 30 s, then every 45, which is every other sweep. It does
 * not grow further: a message too many costs a claim that finds nothing, a lost one as much time as is waited here.
 */
const relayGap = sql`least(interval '30 seconds' * (1 + relays), interval '45 seconds')`

/** Columns keep milliseconds and round: `now()` itself might be due only half a millisecond from now. */
const atOnce = sql`date_trunc('milliseconds', now())`

/** Rows that one statement of the sweeper takes. */
export const sweepBatch = 1_000

const idsIn = (ids: readonly string[]): SQL =>
  sql`(select value::uuid from json_array_elements_text(${JSON.stringify(ids)}::json))`

const paused = sql`exists (select from job_pauses where job_pauses.type = jobs.type)`

/** Takes what is due of these jobs; a job of another consumer, a finished one, an early one is left alone. */
export const claimJobs = (ids: readonly string[]): SQL => sql`
  with due as (
    select id, attempt, state from jobs
    where id in ${idsIn(ids)} and failed_at is null and run_at <= now() and not ${paused}
      and (state = 'pending' or (state = 'running' and lease_until <= now() and lost_leases + 1 < ${maxLostLeases}))
    order by id for update skip locked
  ),
  lost as (
    update job_attempts set ended_at = now(), outcome = 'lost' from due
    where due.state = 'running' and job_attempts.job_id = due.id and job_attempts.attempt = due.attempt
  ),
  claimed as (
    update jobs set state = 'running', attempt = jobs.attempt + 1, lease_until = now() + ${lease},
      lost_leases = lost_leases + (due.state = 'running')::int
    from due where jobs.id = due.id
    returning jobs.id, jobs.attempt, jobs.type, jobs.payload, jobs.request_id, jobs.traceparent
  ),
  begun as (insert into job_attempts (job_id, attempt) select id, attempt from claimed)
  select id, attempt, type, payload, request_id as "requestId", traceparent from claimed`

export type Lease = { id: string; attempt: number }

const leasesOf = (leases: readonly Lease[]): SQL =>
  sql`json_to_recordset(${JSON.stringify(leases)}::json) as held(id uuid, attempt int)`

/** Answers the ids that are still held. */
export const renewLeases = (leases: readonly Lease[]): SQL => sql`
  with mine as (
    select jobs.id from jobs join ${leasesOf(leases)} using (id)
    where jobs.attempt = held.attempt and state = 'running' order by id for no key update of jobs
  )
  update jobs set lease_until = now() + ${lease} from mine where jobs.id = mine.id returning jobs.id`

/** How an attempt ended. `permanent`: trying again cannot help. `later`: what it needs is away, and it has not failed. */
export type Outcome = Lease &
  ({ done: true } | { done: false; permanent: boolean; later: boolean; error: string })

/** Fenced: of an attempt whose lease is somebody else's by now nothing is written, and it is not among the rows. */
export const settleJobs = (outcomes: readonly Outcome[]): SQL => sql`
  with ended as (
    select *, 0.9 + 0.2 * random() as jitter
    from json_to_recordset(${JSON.stringify(outcomes)}::json)
      as outcome(id uuid, attempt int, done boolean, permanent boolean, later boolean, error text)
  ),
  judged as (
    select id, failures, postponed_since, done, permanent, jitter,
      not done and later and coalesce(postponed_since > now() - ${maxPostponement}, true) as postponed
    from jobs join ended using (id)
    where jobs.attempt = ended.attempt and state = 'running' order by id for no key update of jobs
  ),
  mine as (
    select id, postponed, case when postponed then ${postponedGap} else ${retryGap} end as gap,
      not done and not postponed and (permanent or failures + 1 >= ${maxFailures}) as failed
    from judged
  ),
  settled as (
    update jobs set lease_until = null, relays = 0,
      state = case when done then 'done' else 'pending' end,
      finished_at = case when done then now() end,
      failures = failures + (not done and not postponed)::int,
      postponed_since = case when not done and later then coalesce(postponed_since, now()) end,
      failed_at = case when mine.failed then now() end,
      last_error = case when done then last_error else ended.error end,
      run_at = case when done or mine.failed then run_at else now() + gap end,
      relay_at = now() + interval '30 seconds' + case when done or mine.failed then interval '0' else gap end
    from mine join ended using (id) where jobs.id = mine.id
    returning jobs.id, jobs.attempt, jobs.type, jobs.run_at, jobs.postponed_since, jobs.request_id, jobs.traceparent,
      done, mine.failed, mine.postponed, ended.error
  ),
  timeline as (
    update job_attempts set ended_at = now(), error = settled.error,
      outcome = case when done then 'done' when postponed then 'postponed' else 'failed' end
    from settled where job_attempts.job_id = settled.id and job_attempts.attempt = settled.attempt
  ),
  told as (
    insert into jobs (id, type, payload, request_id, traceparent, relay_at)
    select ${derivedId(sql`'waiting ' || type || ' ' || date_trunc('hour', now() at time zone 'UTC')`)}, 'ops.alert',
      jsonb_build_object('waiting', type, 'since', ${iso('postponed_since')}, 'error', left(error, 500)),
      request_id, traceparent, now() + interval '30 seconds'
    from settled where postponed and postponed_since <= now() - ${patience} on conflict (id) do nothing
  )
  select id, done, failed, greatest(1, ceil(extract(epoch from run_at - now())))::int as "delaySeconds" from settled`

/** Jobs whose consumer is gone are pending again. */
export const returnLost = (): SQL => sql`
  with lost as (
    select id, attempt from jobs where state = 'running' and lease_until <= now()
    order by lease_until limit ${sweepBatch} for update skip locked
  ),
  timeline as (
    update job_attempts set ended_at = now(), outcome = 'lost' from lost
    where job_attempts.job_id = lost.id and job_attempts.attempt = lost.attempt
  )
  update jobs set state = 'pending', lease_until = null, relays = 0, run_at = ${atOnce}, relay_at = ${atOnce},
    lost_leases = lost_leases + 1,
    failed_at = case when lost_leases + 1 >= ${maxLostLeases} then now() end,
    last_error = case when lost_leases + 1 >= ${maxLostLeases} then 'The lease was lost too often' else last_error end
  from lost where jobs.id = lost.id`

/** What should have been taken long ago; `failed` belongs to the dead-letter queue. */
export const relayDue = (): SQL => sql`
  with due as (
    select id from jobs where state = 'pending' and relay_at <= now() and (failed_at is not null or not ${paused})
    order by relay_at limit ${sweepBatch} for update skip locked
  )
  update jobs set relays = relays + 1, relay_at = now() + ${relayGap} from due where jobs.id = due.id
  returning jobs.id, failed_at is not null as failed`

/**
 * Makes dead what the row says has failed. Whatever else came through the dead-letter queue (the database was away for
 * as long as the queue tries) is to be relayed at once: `returned`.
 */
export const buryJobs = (ids: readonly string[]): SQL => sql`
  with wanted as (
    select id, failed_at from jobs where id in ${idsIn(ids)} and state = 'pending' order by id for update
  ),
  buried as (
    update jobs set state = 'dead', finished_at = now() from wanted
    where jobs.id = wanted.id and wanted.failed_at is not null returning jobs.*
  ),
  returned as (
    update jobs set relay_at = greatest(run_at, now()) + interval '30 seconds' from wanted
    where jobs.id = wanted.id and wanted.failed_at is null returning jobs.id
  ),
  mailed as (
    insert into jobs (id, type, payload, subject_id, request_id, traceparent, relay_at)
    select ${derivedId(sql`'operatorAlert ' || id`)}, 'mail.send', jsonb_build_object('template', 'operatorAlert', 'jobId', id),
      id, request_id, traceparent, now() + interval '30 seconds'
    -- What tells of a dead job and cannot be sent would only make another.
    from buried where type <> 'ops.alert' and payload->>'template' is distinct from 'operatorAlert'
    on conflict (id) do nothing returning id
  ),
  alerts as (
    insert into jobs (id, type, payload, subject_id, request_id, traceparent, relay_at)
    select ${derivedId(sql`'ops.alert ' || id`)}, 'ops.alert',
      jsonb_build_object('jobId', id, 'type', type, 'failures', failures, 'error', left(last_error, 500)),
      id, request_id, traceparent, now() + interval '30 seconds'
    from buried where type <> 'ops.alert' and payload->>'template' is distinct from 'operatorAlert'
    on conflict (id) do nothing returning id
  )
  select 'dead' as what, id, type, request_id as "requestId", last_error as error from buried
  union all select 'returned', id, null, null, null from returned
  union all select 'alert', id, null, null, null from alerts
  union all select 'alert', id, null, null, null from mailed`

export type Slot = { key: string; schedule: string; type: string; payload: object; id: string }

/**
 * One job a slot, whoever comes first. Slots later than the schedule's last job are made, so that a missed one is caught
 * up; of a schedule that never ran only the newest is.
 */
export const fillSlots = (slots: readonly Slot[], requestId: string): SQL => sql`
  with slot as (
    select *, row_number() over (partition by schedule order by key desc) = 1 as newest,
      (select max(slot_key) from jobs where slot_key is not null and starts_with(slot_key, schedule || ' ')) as last
    from json_to_recordset(${JSON.stringify(slots)}::json)
      as slot(key text, schedule text, type text, payload jsonb, id uuid)
  )
  insert into jobs (id, type, payload, slot_key, request_id, relay_at)
  select id, type, payload, key, ${requestId}, now() + interval '30 seconds' from slot
  where case when last is null then newest else key > last end
  on conflict (slot_key) where slot_key is not null do nothing returning id`

/** What a person retries meanwhile has no end any more and stays: the condition is asked again of the row as it is then. */
export const purgeJobs = (limit: number): SQL => {
  const isOver = sql`finished_at <= now() - interval '30 days'
    and (state = 'done' or finished_at <= now() - interval '90 days')`
  return sql`delete from jobs where id in (select id from jobs where ${isOver} limit ${limit}) and ${isOver}`
}
