import type { JobContext, JobHandlers } from '../jobs/catalog.ts'
import type { Dispatcher } from '../jobs/dispatcher.ts'
import { AppError } from '../shared/errors.ts'
import { PermanentError } from '../shared/permanent-error.ts'
import type { OrderRow } from './csv.ts'
import { figuresOf } from './figures.ts'
import { keyOf, keysOf, mediaTypes, type Build } from './file.ts'
import type { Fonts } from './fonts.ts'
import type { ReportRepository, Taken } from './repository.ts'
import type { ReportStore } from './store.ts'
import { createTally, type Tally } from './tally.ts'

/** Orders that are in memory at a time, and in one call to the database. */
const defaultPageSize = 5_000

/** Per cent of the work that the list of orders is; the rest is the PDF. */
const listShare = 90

type Deps = {
  reports: Pick<ReportRepository, 'ofDay' | 'take' | 'page' | 'figures' | 'complete' | 'release' | 'isReady'>
  store: Pick<ReportStore, 'upload' | 'put' | 'remove'>
  fonts: Fonts
  dispatcher: Pick<Dispatcher, 'send'>
  newId: () => string
  pageSize?: number
}

/** Another run has taken hold of the report: what this one does no longer counts. */
class Superseded extends Error {}

const superseded = () => new Superseded('Another run has taken hold of the report')

const reasonOf = (error: unknown, { id }: JobContext): string =>
  error instanceof AppError ? error.message : `Unexpected; the log has it under job ${id}`

const utf8 = new TextEncoder()

/**
 * Makes reports, as jobs. A run takes hold of the row with an id of its own, which fences every later write and names
 * its objects in R2: a run that is doubled or late can change neither a ready report nor its files, and takes its own
 * files away again.
 *
 * List and figures are true of one instant, `asOf`, when the run took hold: the orders of the period that were placed
 * by then, with the status that they had then (the history tells, where an order has moved since). A transaction that
 * was under way at that instant could still come between the two: they are compared, and the run fails if they differ.
 * Low stock and dead jobs keep no history: they are as of reading, moments later.
 */
export const createReportBuilder = ({
  reports,
  store,
  fonts,
  dispatcher,
  newId,
  pageSize = defaultPageSize,
}: Deps) => {
  async function* listOf(taken: Taken, tally: Tally, { signal }: JobContext): AsyncGenerator<Uint8Array> {
    const { csvPage } = await import('./csv.ts')
    let last: OrderRow | undefined
    for (let full = true; full;) {
      signal.throwIfAborted()
      const share = taken.orders === 0 ? 1 : Math.min(1, tally.orders() / taken.orders)
      const rows = await reports.page(taken, last, pageSize, Math.floor(share * listShare))
      if (rows === undefined) throw superseded()
      yield utf8.encode(csvPage(rows, { first: last === undefined }))
      tally.add(rows)
      last = rows.at(-1)
      full = rows.length === pageSize
    }
  }

  const make = async (taken: Taken, context: JobContext): Promise<void> => {
    const tally = createTally()
    const csv = await store.upload(keyOf(taken, 'csv'), mediaTypes.csv, listOf(taken, tally, context))
    const figures = figuresOf(taken.period, await reports.figures(taken))
    if (!tally.agreesWith(figures)) throw new Error('An order changed at the instant of the report')
    const { renderReport } = await import('./pdf/report.ts')
    const bytes = await renderReport(figures, taken, await fonts())
    context.signal.throwIfAborted()
    const pdf = await store.put(keyOf(taken, 'pdf'), mediaTypes.pdf, bytes)
    const jobs = await reports.complete(taken, { pdf, csv }, context)
    if (jobs === undefined) throw superseded()
    dispatcher.send(jobs.map((id) => ({ id })))
  }

  /** What cannot be cleaned up is only untidy: nobody reads it. */
  const tidy = async (build: Build): Promise<void> => await store.remove(keysOf(build)).catch(() => undefined)

  const build = async ({ reportId }: { reportId: string }, context: JobContext): Promise<void> => {
    const taken = await reports.take({ reportId, buildId: newId() }, context.id)
    if (taken === 'ready') return
    if (taken === 'missing') throw new PermanentError(`There is no report ${reportId}`)
    if (taken.leftBehind !== undefined) await tidy({ reportId, buildId: taken.leftBehind })
    try {
      await make(taken, context)
    } catch (error) {
      if (error instanceof Superseded) {
        await tidy(taken)
        // It may have been a late attempt, which will not end what it took: only a ready report ends the job.
        if (await reports.isReady(reportId)) return
        throw error
      }
      // Was it made ready although the answer got lost? Then nothing is given back, and its files stay.
      if (await reports.release(taken, reasonOf(error, context))) await tidy(taken)
      throw error
    }
  }

  /** The report of a day that is over; one that is there already, or that another job makes, stays as it is. */
  const daily = async ({ day }: { day: string }, context: JobContext): Promise<void> => {
    const found = await reports.ofDay(day, context.id)
    if (found === 'ahead') throw new PermanentError(`The day ${day} lies ahead`)
    if (found !== undefined) await build({ reportId: found.id }, context)
  }

  return { build, daily } satisfies {
    build: JobHandlers['report.build']
    daily: JobHandlers['report.daily']
  }
}
