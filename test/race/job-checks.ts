import type pg from 'pg'

/** A witness of its own: every state that a job was in, written by the database itself in the same transaction. */
export const witness = `
  create table job_log (
    position bigint generated always as identity primary key, job_id uuid not null, at timestamptz not null default clock_timestamp(),
    was text, became text, failures int, run_at timestamptz
  );
  create index on job_log (job_id);
  create function log_job() returns trigger language plpgsql as $$
    begin
      insert into job_log (job_id, was, became, failures, run_at)
        values (coalesce(new.id, old.id), old.state, new.state, new.failures, new.run_at);
      return null;
    end
  $$;
  create trigger log_job after insert or update of state or delete on jobs for each row execute function log_job()`

const wasRedriven = `exists (select from job_log where job_id = jobs.id and was = 'dead')`
const failed = `(select count(*) from job_attempts where job_id = jobs.id and outcome = 'failed')`

/** Each query answers the jobs that break a rule, at any moment. */
const rules = {
  'what was enqueued is neither pending nor running, done or dead': `
    select job_id from job_log left join jobs on jobs.id = job_id
    where was is null and (state is null or state not in ('pending', 'running', 'done', 'dead'))`,
  'a job was enqueued twice': `
    select job_id from job_log where was is null group by job_id having count(*) > 1`,
  'a job that runs has another number of attempts under way than one, its latest': `
    select id from jobs where state = 'running' and array[attempt] is distinct from
      (select array_agg(attempt) from job_attempts where job_id = jobs.id and outcome is null)`,
  'an attempt is under way of a job that does not run': `
    select id from jobs where state <> 'running'
      and exists (select from job_attempts where job_id = jobs.id and outcome is null)`,
  'a job is done by another attempt than its latest, or by more than one': `
    select id from jobs where state = 'done' and array[attempt] is distinct from
      (select array_agg(attempt) from job_attempts where job_id = jobs.id and outcome = 'done')`,
  'a job was done and is not any more': `select job_id from job_log where was = 'done'`,
  'failures are not those of the attempts': `select id from jobs where failures <> ${failed} and not ${wasRedriven}`,
  'a job is dead without three failures, or died more than once': `
    select id from jobs where state = 'dead' and not ${wasRedriven} and (${failed} <> 3
      or (select count(*) from job_log where job_id = jobs.id and became = 'dead') <> 1)`,
  'the operators were not told once, by chat and by mail, of a dead mail': `
    select id from jobs where state = 'dead' and type = 'mail.send' and payload->>'template' <> 'operatorAlert'
      and array['mail.send', 'ops.alert'] is distinct from
        (select array_agg(type order by type) from jobs as alerts where alerts.subject_id = jobs.id)`,
  'the wait after a second failure is not 1.8 times that after the first': `
    select job_id from job_log where was = 'running' and became = 'pending' and failures in (1, 2)
    group by job_id having extract(epoch from max(run_at - at) filter (where failures = 2))
      < 1.8 * extract(epoch from max(run_at - at) filter (where failures = 1))`,
}

/** The rules that are broken now, each with up to three examples; empty when all hold. */
export const brokenJobRules = async (client: pg.Client): Promise<string[]> => {
  const broken: string[] = []
  for (const [rule, query] of Object.entries(rules)) {
    const { rows } = await client.query(query)
    if (rows.length > 0)
      broken.push(`${rule}: ${rows.length} rows, such as ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return broken
}

/**
 * Seconds until the last of the jobs that were open at this moment was taken up: from then, or from the end of its wait
 * for the next attempt. Those that had failed for good are not among them: nobody takes them up.
 */
export const slowestRecovery = async (client: pg.Client, killed: Date): Promise<number> => {
  const { rows } = await client.query<{ seconds: number }>(
    `with latest as (
      select distinct on (job_id) job_id, became, failures, run_at from job_log where at <= $1 order by job_id, position desc
    )
    select max(extract(epoch from coalesce(next.at, 'infinity') - greatest($1, run_at)))::float as seconds
    from latest left join lateral (
      select min(started_at) as at from job_attempts where job_id = latest.job_id and started_at > $1
    ) as next on true
    where became in ('pending', 'running') and failures < 3`,
    [killed],
  )
  return rows[0]?.seconds ?? 0
}
