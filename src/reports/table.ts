import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  date,
  index,
  pgTable,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { moment } from '../db/table.ts'
import { users } from '../users/table.ts'

/** `failed` is not stored: it is a report that is not ready and that no live job works on (json.ts). */
type StoredStatus = 'pending' | 'running' | 'ready'

export const reports = pgTable(
  'reports',
  {
    id: uuid('id').primaryKey(),
    firstDay: date('first_day').notNull(),
    lastDay: date('last_day').notNull(),
    /** The one that answers for its finished period; a refreshed or failed one no longer is. */
    current: boolean('current').notNull(),
    status: text('status').$type<StoredStatus>().notNull().default('pending'),
    progress: smallint('progress').notNull().default(0),
    /** NULL: the schedule. */
    requestedBy: uuid('requested_by').references(() => users.id),
    /** The job that makes it: its state tells whether anyone still does. */
    jobId: uuid('job_id').notNull(),
    /** The run that holds the row, new at each attempt: fences every later write, and names the objects in R2. */
    buildId: uuid('build_id'),
    /** The instant that the figures and the list of orders are true of. */
    asOf: moment('as_of'),
    pdfSize: bigint('pdf_size', { mode: 'number' }),
    pdfEtag: text('pdf_etag'),
    csvSize: bigint('csv_size', { mode: 'number' }),
    csvEtag: text('csv_etag'),
    /** Why the last attempt failed. */
    error: text('error'),
    createdAt: moment('created_at').notNull().defaultNow(),
    finishedAt: moment('finished_at'),
  },
  (t) => [
    check('reports_period_check', sql`${t.lastDay} - ${t.firstDay} between 0 and 365`),
    check('reports_status_check', sql`${t.status} in ('pending', 'running', 'ready')`),
    check('reports_progress_check', sql`${t.progress} between 0 and 100`),
    check(
      'reports_ready_check',
      sql`(${t.status} = 'ready') = (num_nulls(${t.buildId}, ${t.asOf}, ${t.pdfSize}, ${t.pdfEtag}, ${t.csvSize},
        ${t.csvEtag}, ${t.finishedAt}) = 0)`,
    ),
    check('reports_error_check', sql`length(${t.error}) <= 500`),
    // Two requests for the same finished period at the same moment are one report.
    uniqueIndex('reports_current_once')
      .on(t.firstDay, t.lastDay)
      .where(sql`current`),
    index('reports_created_at_idx').on(t.createdAt, t.id),
  ],
)
