import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { JobDetail, JobSummary } from './schema.ts'

const fields = sql`
  'id', jobs.id, 'type', jobs.type, 'state', jobs.state, 'subjectId', jobs.subject_id,
  'failures', jobs.failures, 'lostLeases', jobs.lost_leases, 'attempts', jobs.attempt, 'lastError', jobs.last_error,
  'requestId', jobs.request_id, 'runAt', ${iso('jobs.run_at')}, 'createdAt', ${iso('jobs.created_at')},
  'finishedAt', ${iso('jobs.finished_at')}`

export const jobJson = sql<JobSummary>`json_build_object(${fields})`

/** The payload is not redacted yet. */
export const jobDetailJson = sql<JobDetail>`json_build_object(${fields}, 'payload', jobs.payload,
  'timeline', (
    select coalesce(json_agg(json_build_object('attempt', attempt, 'startedAt', ${iso('started_at')},
      'endedAt', ${iso('ended_at')}, 'outcome', outcome, 'error', error) order by attempt), '[]')
    from job_attempts where job_id = jobs.id
  ),
  'actions', (
    select coalesce(json_agg(json_build_object('action', action, 'actorId', actor_id, 'reason', reason,
      'at', ${iso('at')}) order by at), '[]')
    from audit_events where subject = jobs.id::text
  ))`
