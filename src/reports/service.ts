import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Actor } from '../shared/actor.ts'
import type { ByteRange } from '../shared/byte-range.ts'
import { AppError, found } from '../shared/errors.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { paginate } from '../shared/page.ts'
import { fileName, keyOf, mediaTypes, type FileFormat } from './file.ts'
import type { ReportRepository } from './repository.ts'
import type { ListReports, Report, RequestReport } from './schema.ts'
import type { ReportStore } from './store.ts'

type Deps = {
  reports: ReportRepository
  store: ReportStore
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
}

/** What administrators ask of reports; making them is the builder's. */
export const createReportService = ({ reports, store, dispatcher, newId }: Deps) => ({
  /**
   * A period that is over in UTC has one report, which every request for it is answered with until one says `refresh`
   * or it has failed. While a period lasts, each request makes a report of its own: the figures still move.
   */
  async request(
    actor: Actor,
    { refresh, ...period }: RequestReport,
    once?: IdempotentRequest,
  ): Promise<Reply> {
    const id = newId()
    const job = dispatcher.draft({ type: 'report.build', payload: { reportId: id } }, id)
    const reply = await reports.request(actor, { id, job, period, refresh }, once)
    // Where there was a report already this names no job, and whoever gets the message does nothing.
    if (!reply.replayed) dispatcher.send([job])
    return reply
  },

  async list(actor: Actor, query: ListReports) {
    const { data, counted } = await reports.list(actor, query)
    return { data, pagination: paginate(query, counted) }
  },

  get: async (actor: Actor, id: string): Promise<Report> => found('Report', await reports.find(actor, id)),

  /** @throws REPORT_NOT_READY */
  async file(actor: Actor, id: string, format: FileFormat) {
    const report = found('Report', await reports.findFile(actor, id))
    if (report.status !== 'ready') {
      throw new AppError('REPORT_NOT_READY', 'The report is not ready', {
        details: { status: report.status },
      })
    }
    const { size, etag } = report[format]
    const key = keyOf(report, format)
    return {
      name: fileName(report.period, format),
      disposition: 'attachment' as const,
      audience: 'actor' as const,
      type: mediaTypes[format],
      size,
      etag,
      modifiedAt: new Date(report.finishedAt),
      async open(range?: ByteRange): Promise<ReadableStream> {
        const stream = await store.read(key, etag, range)
        if (stream === undefined) throw new AppError('INTERNAL', `The store lacks ${key}`)
        return stream
      },
    }
  },
})
