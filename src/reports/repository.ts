import { sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { derivedId } from '../db/derived-id.ts'
import { iso } from '../db/json.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseIf } from '../db/raise.ts'
import { orderBy } from '../db/sort.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import { enqueueNotifications } from '../inbox/statements.ts'
import { enqueue, enqueueEach, type Draft, type Origin } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { rolesThatMay } from '../shared/can.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { offsetOf } from '../shared/page.ts'
import type { OrderRow } from './csv.ts'
import type { RawFigures } from './figures.ts'
import { figuresQuery, orderPageQuery, ordersIn } from './queries.ts'
import { hasFailed, reportJson } from './json.ts'
import type { Build, Stored } from './file.ts'
import type { Period } from './period.ts'
import type { ListReports, Report } from './schema.ts'
import { reports } from './table.ts'

/** A report that a run has taken hold of. */
export type Taken = Build & { period: Period; asOf: string; orders: number; leftBehind: string | undefined }

export type ReportFile = Build & {
  period: Period
  status: Report['status']
  finishedAt: string
  pdf: Stored
  csv: Stored
}

type NewReport = { id: string; jobId: string; period: Period }

/** How a report is asked for; `job` makes it, if there is to be a new one. */
type Request = { id: string; job: Draft; period: Period; refresh: boolean }

const today = sql`(now() at time zone 'UTC')::date`

const of = ({ from, to }: Period): SQL => sql`first_day = ${from}::date and last_day = ${to}::date`

const currentOf = (period: Period): SQL => sql`current and ${of(period)}`

/** Only the run that holds the row may go on with it. */
const heldBy = ({ reportId, buildId }: Build): SQL =>
  sql`id = ${reportId} and build_id = ${buildId} and status = 'running'`

const insertUnlessThere = (
  { id, jobId, period }: NewReport,
  requestedBy: string | null,
  when = sql`true`,
): SQL => sql`
  insert into reports (id, first_day, last_day, current, requested_by, job_id)
  select ${id}, ${period.from}::date, ${period.to}::date, ${period.to}::date < ${today}, ${requestedBy}::uuid, ${jobId}
  where ${when} and not exists (select from reports where ${currentOf(period)})
  on conflict do nothing`

/** The same for a report and a user at every attempt. */
const mailId = derivedId(sql`reports.id::text || users.id::text`)
const noticeId = derivedId(sql`'notice' || reports.id::text || users.id::text`)

/** Every administrator of a report that this run has made ready. */
const readers = ({ reportId, buildId }: Build): SQL => sql`from reports, users
  where reports.id = ${reportId} and reports.build_id = ${buildId} and reports.status = 'ready'
    and users.role in ${rolesThatMay('reports.read')} and users.deleted_at is null`

export type ReportRepository = ReturnType<typeof createReportRepository>

export const createReportRepository = ({ read, write }: Database) => ({
  /** A finished period has one current report; any other gets a new one, because its figures still move. */
  request(
    actor: Actor,
    { id, job, period, refresh }: Request,
    once: IdempotentRequest | undefined,
  ): Promise<Reply> {
    const batch = write([
      actorGuard(actor),
      ...beginOnce(actor, once),
      sql`select pg_advisory_xact_lock(hashtextextended(${`report ${period.from} ${period.to}`}, 0))`,
      actorGuard(actor),
      raiseIf(
        'VALIDATION_FAILED',
        sql`select json_build_array(json_build_object('field', 'to', 'message', 'must not be after today (UTC)'))
          where ${period.to}::date > ${today}`,
      ),
      sql`update reports set current = false where ${currentOf(period)} and (${refresh} or ${hasFailed})`,
      insertUnlessThere({ id, jobId: job.id, period }, actor.id),
      enqueue(job, sql`exists (select from reports where id = ${id})`),
      finish(
        actor,
        once,
        202,
        sql`select ${reportJson} from reports where id = ${id} or (${currentOf(period)}) limit 1`,
      ),
    ])
    return replyOf(202, batch)
  },

  /**
   * The report of the day that this job has to make; undefined when the day has one that is ready or that another job
   * works on. The report has the job's id, so that a doubled job finds it.
   */
  async ofDay(day: string, jobId: string): Promise<{ id: string } | 'ahead' | undefined> {
    const period = { from: day, to: day }
    const isAhead = sql`${day}::date > ${today}`
    const [{ rows: ahead }, , , { rows: mine }] = await write([
      sql`select where ${isAhead}`,
      sql`update reports set current = false where ${currentOf(period)} and job_id <> ${jobId} and ${hasFailed}`,
      insertUnlessThere({ id: jobId, jobId, period }, null, sql`not ${isAhead}`),
      sql`select from reports where id = ${jobId}`,
    ])
    if (ahead.length > 0) return 'ahead'
    return mine.length > 0 ? { id: jobId } : undefined
  },

  async list(actor: Actor, query: ListReports) {
    const [, counted, rows] = await read([
      actorGuard(actor),
      countUpTo(reports, undefined),
      pageOf({
        table: reports,
        json: reportJson,
        where: undefined,
        order: orderBy(query.sort, { createdAt: reports.createdAt }, reports.id),
        limit: query.limit,
        offset: offsetOf(query),
      }),
    ])
    return { data: dataOf<Report>(rows), counted: countOf(counted) }
  },

  async find(actor: Actor, id: string): Promise<Report | undefined> {
    const [, found] = await read([
      actorGuard(actor),
      sql`select ${reportJson} as data from reports where id = ${id}`,
    ])
    return dataOf<Report>(found)[0]
  },

  /** Where the files are, once it is ready. */
  async findFile(actor: Actor, id: string): Promise<ReportFile | undefined> {
    const [, found] = await read([
      actorGuard(actor),
      sql`select json_build_object(
          'reportId', id, 'buildId', build_id, 'period', json_build_object('from', first_day, 'to', last_day),
          'status', case when ${hasFailed} then 'failed' else status end, 'finishedAt', ${iso('finished_at')},
          'pdf', json_build_object('size', pdf_size, 'etag', pdf_etag),
          'csv', json_build_object('size', csv_size, 'etag', csv_etag)) as data
        from reports where id = ${id}`,
    ])
    return dataOf<ReportFile>(found)[0]
  },

  /**
   * Takes hold of a report that is not ready, for a run of a job: whoever held it before can change it no more. What
   * that one may have left in the store has the id `leftBehind`.
   */
  async take({ reportId, buildId }: Build, jobId: string): Promise<Taken | 'ready' | 'missing'> {
    const [before, , taken] = await write([
      sql`select status, build_id from reports where id = ${reportId} for no key update`,
      sql`update reports set status = 'running', progress = 0, build_id = ${buildId}, job_id = ${jobId}, as_of = now()
        where id = ${reportId} and status <> 'ready'`,
      sql`select first_day::text, last_day::text, ${iso('as_of')} as as_of,
          (select count(*) from orders where ${ordersIn(sql`first_day`, sql`last_day`, sql`as_of`)})::int as orders
        from reports where id = ${reportId} and build_id = ${buildId}`,
    ])
    const [was] = before.rows
    const [row] = taken.rows
    if (was === undefined) return 'missing'
    if (row === undefined) return 'ready'
    return {
      reportId,
      buildId,
      asOf: String(row['as_of']),
      orders: Number(row['orders']),
      period: { from: String(row['first_day']), to: String(row['last_day']) },
      leftBehind: typeof was['build_id'] === 'string' ? was['build_id'] : undefined,
    }
  },

  /** The next page of the period's orders, oldest first, and how far the run is; undefined when it lost its hold. */
  async page(
    taken: Taken,
    after: OrderRow | undefined,
    limit: number,
    progress: number,
  ): Promise<OrderRow[] | undefined> {
    const [held, page] = await write([
      sql`update reports set progress = ${progress} where ${heldBy(taken)}`,
      orderPageQuery(taken, after, limit),
    ])
    return held.rowCount === 0 ? undefined : dataOf<OrderRow>(page)
  },

  /** All figures: one statement, so that they are of one snapshot. */
  async figures(taken: Pick<Taken, 'period' | 'asOf'>): Promise<RawFigures> {
    const [figures] = await read([figuresQuery(taken)])
    const [row] = dataOf<RawFigures>(figures)
    if (row === undefined) throw new Error('The database returned no figures')
    return row
  },

  /**
   * Ready, and a mail and a notification to every administrator in the same transaction: the ids of their jobs. Undefined when the run lost
   * its hold.
   */
  async complete(
    taken: Build,
    { pdf, csv }: Record<'pdf' | 'csv', Stored>,
    origin: Origin,
  ): Promise<string[] | undefined> {
    const [{ rowCount }, mails, notices] = await write([
      sql`update reports set status = 'ready', progress = 100, error = null, finished_at = now(),
          pdf_size = ${pdf.size}, pdf_etag = ${pdf.etag}, csv_size = ${csv.size}, csv_etag = ${csv.etag}
        where ${heldBy(taken)}`,
      enqueueEach(
        'mail.send',
        sql`select ${mailId}, jsonb_build_object(
              'template', 'reportReady', 'reportId', reports.id, 'userId', users.id), reports.id
          ${readers(taken)}`,
        origin,
      ),
      enqueueNotifications(
        sql`select ${noticeId}, users.id,
            jsonb_build_object('kind', 'reportReady', 'reportId', reports.id), reports.id
          ${readers(taken)}`,
        origin,
      ),
    ])
    return rowCount === 1 ? [...mails.rows, ...notices.rows].map(({ id }) => String(id)) : undefined
  },

  async isReady(id: string): Promise<boolean> {
    const [{ rowCount }] = await read([sql`select from reports where id = ${id} and status = 'ready'`])
    return rowCount === 1
  },

  /** Gives the row back for the job's next attempt; false when it is ready with what this run has made. */
  async release({ reportId, buildId }: Build, error: string): Promise<boolean> {
    const [, { rowCount }] = await write([
      sql`update reports set status = 'pending', error = ${error.slice(0, 500)} where ${heldBy({ reportId, buildId })}`,
      sql`select from reports where id = ${reportId} and build_id = ${buildId} and status = 'ready'`,
    ])
    return rowCount === 0
  },
})
