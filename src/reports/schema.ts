import { z } from '@hono/zod-openapi'
import { pageFields, reachIssue, sortField, withinReach } from '../shared/query.ts'
import { fileFormats } from './file.ts'
import { daysOf, maxDays } from './period.ts'

const reportStatuses = ['pending', 'running', 'ready', 'failed'] as const

const File = z.object({ size: z.int().describe('Bytes') })

export const Report = z
  .object({
    id: z.uuid(),
    from: z.iso.date(),
    to: z.iso.date(),
    status: z.enum(reportStatuses),
    progress: z.int().min(0).max(100).describe('Per cent'),
    requestedBy: z.uuid().nullable().describe('null: the daily schedule'),
    asOf: z.iso.datetime().nullable().describe('The instant that figures and statuses are true of'),
    files: z.object({ pdf: File, csv: File }).nullable().describe('null until the report is ready'),
    error: z.string().nullable().describe('Why the last attempt failed; the next one may still succeed'),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .openapi('Report', {
    example: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f15',
      from: '2026-11-19',
      to: '2026-11-19',
      status: 'ready',
      progress: 100,
      requestedBy: null,
      asOf: '2026-11-20T02:00:13.000Z',
      files: { pdf: { size: 48_213 }, csv: { size: 91_044 } },
      error: null,
      createdAt: '2026-11-20T02:00:12.000Z',
      finishedAt: '2026-11-20T02:00:15.000Z',
    },
  })

export type Report = z.infer<typeof Report>

/** No shop of ours is older: a slip of the pen makes no report of the first century. */
const Day = z.iso.date().refine((day) => day >= '2000-01-01', 'must be in 2000 or later')

// Zod refines an object although its fields have failed.
const onceFieldsFit = ({ issues }: z.core.ParsePayload): boolean => issues.length === 0

export const RequestReport = z
  .strictObject({
    from: Day.describe('First day, UTC'),
    to: Day.describe('Last day, inclusive, UTC; today at the latest'),
    refresh: z.boolean().default(false).describe('A new report of a finished period that has one'),
  })
  .refine(({ from, to }) => from <= to, {
    path: ['to'],
    error: 'must not be before from',
    when: onceFieldsFit,
  })
  .refine((period) => daysOf(period) <= maxDays, {
    path: ['to'],
    error: `a report covers at most ${maxDays} days`,
    when: onceFieldsFit,
  })
  .openapi('RequestReport', { example: { from: '2026-11-01', to: '2026-11-19', refresh: false } })

export type RequestReport = z.infer<typeof RequestReport>

export const ListReports = z
  .strictObject({ ...pageFields, sort: sortField(['createdAt'], '-createdAt') })
  .refine(withinReach, reachIssue)

export type ListReports = z.infer<typeof ListReports>

export const ReadFile = z.strictObject({ format: z.enum(fileFormats).default('pdf') })
