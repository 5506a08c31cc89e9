import { sql } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { Report } from './schema.ts'

/** Not ready, and no live job works on it: its job is dead or was discarded. A job that is retried revives it. */
export const hasFailed = sql`(reports.status <> 'ready'
  and not exists (select from jobs where jobs.id = reports.job_id and jobs.state in ('pending', 'running')))`

/** A row of `reports` as the API shows it. */
export const reportJson = sql<Report>`json_build_object(
  'id', reports.id, 'from', reports.first_day, 'to', reports.last_day,
  'status', case when ${hasFailed} then 'failed' else reports.status end, 'progress', reports.progress,
  'requestedBy', reports.requested_by, 'asOf', ${iso('reports.as_of')},
  'files', case when reports.status = 'ready' then json_build_object(
    'pdf', json_build_object('size', reports.pdf_size), 'csv', json_build_object('size', reports.csv_size)) end,
  'error', reports.error,
  'createdAt', ${iso('reports.created_at')}, 'finishedAt', ${iso('reports.finished_at')})`
