import { dataOf, json, jsonBody } from '../http/openapi.ts'
import { adminRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { SweepOutcome, SweepUploads } from './schema.ts'

const sweep = adminRoute({
  method: 'post',
  path: '/sweep',
  operationId: 'sweepUploads',
  action: 'uploads.sweep',
  tags: ['uploads'],
  summary: 'Look for what nothing refers to, as the hourly sweep does; dryRun only counts it',
  request: { body: jsonBody(SweepUploads) },
  responses: { 200: json(dataOf(SweepOutcome), 'What was found, and taken away unless it was a dry run') },
})

export const adminUploadRoutes = createRouter().openapi(sweep, async (c) => {
  const { dryRun } = c.req.valid('json')
  return c.json({ data: await c.var.services.uploadSweeper.sweepFor(c.var.actor, dryRun) }, 200)
})
