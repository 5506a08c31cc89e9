import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { RedriveJobs } from './schema.ts'

/** A job that begins again, with all its attempts before it. */
export const anew = sql`state = 'pending', failures = 0, lost_leases = 0, relays = 0, postponed_since = null, failed_at = null, finished_at = null`

/** The oldest dead first, spread over time. Answers what is to be sent, and when. */
export const redriveDead = (
  { type, from, to, limit, perMinute }: RedriveJobs,
  audit: (changes: SQL) => SQL,
): SQL => sql`
  with dead as (
    select id, failures, last_error, finished_at from jobs
    where state = 'dead' and (${type ?? null}::text is null or type = ${type ?? null})
      and finished_at >= coalesce(${from ?? null}::timestamptz, '-infinity')
      and finished_at <= coalesce(${to ?? null}::timestamptz, 'infinity')
    order by finished_at, id limit ${limit} for update skip locked
  ),
  spread as (
    select *, now() + (row_number() over (order by finished_at, id) - 1) * interval '60 seconds' / ${perMinute}::int as due
    from dead
  ),
  redriven as (
    update jobs set ${anew}, run_at = due, relay_at = due + interval '30 seconds' from spread where jobs.id = spread.id
    returning jobs.id, run_at, spread.failures, spread.last_error
  ),
  audited as (${audit(sql`select id::text,
    jsonb_build_object('state', 'dead', 'failures', failures, 'error', last_error),
    jsonb_build_object('state', 'pending', 'runAt', ${iso('run_at')}) from redriven`)})
  select id, ceil(extract(epoch from run_at - now()))::int as "delaySeconds" from redriven order by run_at`

const ratesSince = (since: SQL): SQL => sql`(
  select json_build_object('done', done, 'failed', failed,
    'failureRate', round(failed::numeric / greatest(done + failed, 1), 4)::float)
  from (
    select count(*) filter (where outcome = 'done') as done, count(*) filter (where outcome = 'failed') as failed
    from attempts where attempts.type = known.type and ended_at > now() - ${since}
  ) as counted)`

const secondsSince = sql`round(extract(epoch from greatest(now() - min(run_at) filter (where state = 'pending' and run_at <= now()), interval '0')), 1)::float`

/** One row and one column `data`, for all types that are known here. */
export const statsJson = (types: readonly string[]): SQL => sql`
  with known as (select value as type from json_array_elements_text(${JSON.stringify(types)}::json)),
  open as (
    select type, count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'running') as running,
      count(*) filter (where state = 'dead') as dead, coalesce(${secondsSince}, 0) as waited
    from jobs where state in ('pending', 'running', 'dead') group by type
  ),
  attempts as (
    select jobs.type, outcome, ended_at from job_attempts join jobs on jobs.id = job_id
    where ended_at > now() - interval '1 day'
  )
  select json_build_object(
    'depth', (select coalesce(sum(pending + running), 0) from open),
    'oldestPendingSeconds', (select coalesce(max(waited), 0) from open),
    'types', json_agg(json_build_object('type', known.type,
      'paused', exists (select from job_pauses where job_pauses.type = known.type),
      'pending', coalesce(pending, 0), 'running', coalesce(running, 0), 'dead', coalesce(dead, 0),
      'oldestPendingSeconds', coalesce(waited, 0),
      'lastHour', ${ratesSince(sql`interval '1 hour'`)}, 'lastDay', ${ratesSince(sql`interval '1 day'`)}
    ) order by known.type)) as data
  from known left join open on open.type = known.type`
