import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createDatabase } from '../../src/db/client.ts'
import type { JobContext } from '../../src/jobs/catalog.ts'
import { createReportBuilder } from '../../src/reports/builder.ts'
import { createFonts } from '../../src/reports/fonts.ts'
import { createReportRepository } from '../../src/reports/repository.ts'
import { Report } from '../../src/reports/schema.ts'
import { createReportStore } from '../../src/reports/store.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startOnce } from '../../workers/api.ts'
import { api } from './edge-api.ts'
import { insert, sql } from './edge-sql.ts'

type Parts = Parameters<typeof createReportBuilder>[0]

/** The builder as the Worker has it, some of its parts replaced, and the calls to the database that it made. */
export const builderWith = (change: (real: Parts) => Partial<Parts> = () => ({})) => {
  const meter = newMeter()
  const { log } = startOnce(env)
  const real = {
    reports: createReportRepository(createDatabase(readConfig(env).database, { log, meter })),
    store: createReportStore(env.FILES),
    ...{ fonts: createFonts(env.ASSETS), newId, dispatcher: { send: () => undefined } },
  }
  return { ...createReportBuilder({ ...real, ...change(real) }), meter }
}

export const contextOf = (id: string, signal = new AbortController().signal): JobContext => ({
  ...{ id, requestId: 'request-of-the-job', traceparent: undefined, signal },
})

type JobRow = { id: string; state: string; payload: unknown; request_id: string; traceparent: string | null }

export const jobsOf = async (subjectId: string, type: string): Promise<JobRow[]> =>
  await sql<JobRow>('select * from jobs where subject_id = $1 and type = $2 order by id', [subjectId, type])

export const setJob = async (reportId: string, state: string): Promise<void> => {
  await sql(
    `update jobs set state = $2,
      lease_until = case when $2 = 'running' then now() end,
      finished_at = case when $2 in ('dead', 'done', 'discarded') then now() end
      where id = (select job_id from reports where id = $1)`,
    [reportId, state],
  )
}

/** A report of the period, asked for by the API, and the id of its job. */
export const askFor = async (token: string, from: string, to = from) => {
  const reply = await api('POST', '/api/v1/reports', { token, body: { from, to, refresh: true } })
  expect(reply.status).toBe(202)
  const { id } = Report.parse(reply.data)
  const [job] = await jobsOf(id, 'report.build')
  if (job === undefined) throw new Error('No job was made')
  return { id, jobId: job.id }
}

export const get = async (token: string, id: string): Promise<Report> =>
  Report.parse((await api('GET', `/api/v1/reports/${id}`, { token })).data)

export const textOf = async (token: string, id: string, format: string): Promise<string> =>
  (await api('GET', `/api/v1/reports/${id}/file?format=${format}`, { token })).text

/** Keys of all objects that a report has in the store. */
export const objectsOf = async (id: string): Promise<string[]> =>
  (await env.FILES.list({ prefix: `reports/${id}/` })).objects.map(({ key }) => key)

type NewOrder = { userId: string; createdAt: string; status?: string; total?: string }

/** Bare orders: without lines, and with the first entry of their history. */
export const newOrders = async (orders: NewOrder[]): Promise<string[]> => {
  const rows = orders.map(({ userId, createdAt, status = 'pending', total = '10.00' }) => ({
    ...{ id: newId(), user_id: userId, status, total, created_at: createdAt, updated_at: createdAt },
  }))
  await insert('orders', rows)
  await insert(
    'order_status_history',
    rows.map(({ id, user_id, created_at }) => ({
      ...{ order_id: id, actor_id: user_id, to_status: 'pending', at: created_at },
    })),
  )
  return rows.map(({ id }) => id)
}
