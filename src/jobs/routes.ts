import { idempotencyHeaders, onceOf, sendReply } from '../http/idempotency.ts'
import { dataOf, json, jsonBody } from '../http/openapi.ts'
import { adminRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { DiscardJob, JobDetail, JobPage, JobStats, JobSummary, JobTypeState, ListJobs, RedriveJobs, Redriven, typeParam } from './schema.ts' // prettier-ignore

const list = adminRoute({
  method: 'get',
  path: '/',
  operationId: 'listJobs',
  action: 'jobs.read',
  tags: ['jobs'],
  summary: 'Jobs, the newest first',
  request: { query: ListJobs },
  responses: { 200: json(JobPage, 'A page of jobs') },
})

const stats = adminRoute({
  method: 'get',
  path: '/stats',
  operationId: 'getJobStats',
  action: 'jobs.read',
  tags: ['jobs'],
  summary: 'Depth, age, throughput and failures, in all and by type',
  responses: { 200: json(dataOf(JobStats), 'As of now') },
})

const get = adminRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getJob',
  action: 'jobs.read',
  tags: ['jobs'],
  summary: 'A job with its attempts and what was done to it',
  request: { params: idParam },
  responses: { 200: json(dataOf(JobDetail), 'The job') },
})

const retry = adminRoute({
  method: 'post',
  path: '/{id}/retry',
  operationId: 'retryJob',
  action: 'jobs.operate',
  tags: ['jobs'],
  summary: 'Let a dead, discarded or waiting job begin anew, now',
  request: { headers: idempotencyHeaders, params: idParam },
  responses: { 200: json(dataOf(JobSummary), 'The job, pending') },
  errors: ['INVALID_TRANSITION'],
})

const discard = adminRoute({
  method: 'post',
  path: '/{id}/discard',
  operationId: 'discardJob',
  action: 'jobs.operate',
  tags: ['jobs'],
  summary: 'Give up a dead or waiting job',
  request: { headers: idempotencyHeaders, params: idParam, body: jsonBody(DiscardJob) },
  responses: { 200: json(dataOf(JobSummary), 'The job, discarded') },
  errors: ['INVALID_TRANSITION'],
})

const redrive = adminRoute({
  method: 'post',
  path: '/redrive',
  operationId: 'redriveJobs',
  action: 'jobs.operate',
  tags: ['jobs'],
  summary: 'Let dead jobs begin anew, spread over time',
  request: { headers: idempotencyHeaders, body: jsonBody(RedriveJobs) },
  responses: { 200: json(dataOf(Redriven), 'How many, and when the last of them is due') },
})

const pause = adminRoute({
  method: 'post',
  path: '/types/{type}/pause',
  operationId: 'pauseJobType',
  action: 'jobs.operate',
  tags: ['jobs'],
  summary: 'Run no job of a type until it is resumed; what runs ends',
  request: { headers: idempotencyHeaders, params: typeParam },
  responses: { 200: json(dataOf(JobTypeState), 'The type, paused') },
})

const resume = adminRoute({
  method: 'post',
  path: '/types/{type}/resume',
  operationId: 'resumeJobType',
  action: 'jobs.operate',
  tags: ['jobs'],
  summary: 'Run the jobs of a type again, within 30 seconds',
  request: { headers: idempotencyHeaders, params: typeParam },
  responses: { 200: json(dataOf(JobTypeState), 'The type, running') },
})

export const jobRoutes = createRouter()
  .openapi(list, async (c) => c.json(await c.var.services.jobs.list(c.var.actor, c.req.valid('query')), 200))
  .openapi(stats, async (c) => c.json({ data: await c.var.services.jobs.stats(c.var.actor) }, 200))
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.jobs.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(retry, async (c) => {
    const { id } = c.req.valid('param')
    return sendReply<JobSummary, 200>(
      c,
      await c.var.services.jobs.retry(c.var.actor, id, onceOf(c, retry, { id })),
    )
  })
  .openapi(discard, async (c) => {
    const { id } = c.req.valid('param')
    const body = c.req.valid('json')
    const once = onceOf(c, discard, { id, body })
    return sendReply<JobSummary, 200>(
      c,
      await c.var.services.jobs.discard(c.var.actor, id, body.reason, once),
    )
  })
  .openapi(redrive, async (c) => {
    const body = c.req.valid('json')
    const reply = await c.var.services.jobs.redrive(c.var.actor, body, onceOf(c, redrive, { body }))
    return sendReply<Redriven, 200>(c, reply)
  })
  .openapi(pause, async (c) => {
    const { type } = c.req.valid('param')
    const reply = await c.var.services.jobs.pause(c.var.actor, type, onceOf(c, pause, { id: type }))
    return sendReply<JobTypeState, 200>(c, reply)
  })
  .openapi(resume, async (c) => {
    const { type } = c.req.valid('param')
    const reply = await c.var.services.jobs.resume(c.var.actor, type, onceOf(c, resume, { id: type }))
    return sendReply<JobTypeState, 200>(c, reply)
  })
