import { z } from '@hono/zod-openapi'
import { Uuid, wholeNumber } from '../shared/query.ts'
import { jobTypes } from './catalog.ts'
import { jobStates } from './state.ts'

const at = '2026-11-20T02:00:00.000Z'
const moment = z.iso.datetime()

const example = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f21',
  type: 'ops.alert',
  state: 'dead' as const,
  subjectId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14',
  failures: 3,
  lostLeases: 0,
  attempts: 3,
  lastError: 'Error: the webhook answered 500',
  requestId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f10',
  runAt: at,
  createdAt: at,
  finishedAt: at,
}

export const JobSummary = z
  .object({
    id: z.uuid(),
    type: z.string(),
    state: z.enum(jobStates),
    subjectId: z.uuid().nullable().describe('What the job is about: an order, a report, a dead job'),
    failures: z.int().describe('Three make it dead'),
    lostLeases: z.int().describe('Times that its runtime ended under it; does not count as a failure'),
    attempts: z.int(),
    lastError: z.string().nullable().describe('Of the last failure, also when the job was done since'),
    requestId: z.string().describe('Of the request that caused it'),
    runAt: moment.describe('Not before'),
    createdAt: moment,
    finishedAt: moment.nullable(),
  })
  .openapi('Job', { example })
export type JobSummary = z.infer<typeof JobSummary>

export const JobDetail = JobSummary.extend({
  payload: z.record(z.string(), z.unknown()).describe('Secrets are redacted'),
  timeline: z.array(
    z.object({
      attempt: z.int(),
      startedAt: moment,
      endedAt: moment.nullable(),
      outcome: z.enum(['done', 'failed', 'postponed', 'lost']).nullable(),
      error: z.string().nullable(),
    }),
  ),
  actions: z.array(
    z.object({ action: z.string(), actorId: z.uuid(), reason: z.string().nullable(), at: moment }),
  ),
}).openapi('JobDetail', {
  example: {
    ...example,
    payload: { jobId: example.subjectId },
    timeline: [
      { attempt: 1, startedAt: at, endedAt: at, outcome: 'failed' as const, error: example.lastError },
    ],
    actions: [],
  },
})
export type JobDetail = z.infer<typeof JobDetail>

/** What cursor.ts wrote. */
const Cursor = z.tuple([z.iso.datetime(), z.uuid()])

const cursor = z
  .string()
  .max(200)
  .transform((text, context) => {
    try {
      return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    } catch {
      context.addIssue('is not a cursor of ours')
      return z.NEVER
    }
  })

export const ListJobs = z.strictObject({
  state: z.enum(jobStates).optional(),
  type: z.enum(jobTypes).optional(),
  q: Uuid.optional().describe('The id of a job, or of what jobs are about'),
  cursor: cursor.optional().openapi({ type: 'string', description: 'nextCursor of the page before' }),
  limit: wholeNumber(1, 100, 20),
})
export type ListJobs = z.infer<typeof ListJobs>

export const JobPage = z.object({
  data: z.array(JobSummary),
  page: z.object({ nextCursor: z.string().nullable(), hasMore: z.boolean() }),
})

const rates = z.object({ done: z.int(), failed: z.int().describe('Attempts'), failureRate: z.number() })

const TypeStats = z.object({
  type: z.string(),
  paused: z.boolean(),
  pending: z.int(),
  running: z.int(),
  dead: z.int(),
  oldestPendingSeconds: z.number().describe('Since the oldest waiting job was due; 0 when none waits'),
  lastHour: rates,
  lastDay: rates,
})

export const JobStats = z
  .object({
    depth: z.int().describe('Jobs that wait or run'),
    oldestPendingSeconds: z.number(),
    types: z.array(TypeStats),
  })
  .openapi('JobStats', {
    example: {
      depth: 3,
      oldestPendingSeconds: 1.2,
      types: [
        {
          type: 'ops.alert',
          paused: false,
          pending: 2,
          running: 1,
          dead: 0,
          oldestPendingSeconds: 1.2,
          lastHour: { done: 60, failed: 3, failureRate: 0.0476 },
          lastDay: { done: 900, failed: 4, failureRate: 0.0044 },
        },
      ],
    },
  })
export type JobStats = z.infer<typeof JobStats>

export const DiscardJob = z
  .strictObject({ reason: z.string().trim().min(1).max(500) })
  .openapi('DiscardJob', { example: { reason: 'The order was placed by a test' } })

export const RedriveJobs = z
  .strictObject({
    type: z.enum(jobTypes).optional(),
    from: moment.optional().describe('Jobs that died at this moment or later'),
    to: moment.optional().describe('… or earlier'),
    limit: z.int().min(1).max(1_000),
    perMinute: z.int().min(1).max(6_000).describe('They are spread over time at this rate'),
  })
  .openapi('RedriveJobs', { example: { type: 'ops.alert', limit: 100, perMinute: 60 } })
export type RedriveJobs = z.infer<typeof RedriveJobs>

export const Redriven = z
  .object({ redriven: z.int(), lastRunAt: moment.nullable() })
  .openapi('Redriven', { example: { redriven: 100, lastRunAt: at } })
export type Redriven = z.infer<typeof Redriven>

export const typeParam = z.object({
  type: z.enum(jobTypes).openapi({ param: { name: 'type', in: 'path' }, example: 'ops.alert' }),
})

export const JobTypeState = z
  .object({ type: z.string(), paused: z.boolean() })
  .openapi('JobTypeState', { example: { type: 'ops.alert', paused: true } })
export type JobTypeState = z.infer<typeof JobTypeState>
