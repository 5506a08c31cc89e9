import { fileHeaders, fileResponses, sendFile } from '../http/file.ts'
import { idempotencyHeaders, onceOf, sendReply } from '../http/idempotency.ts'
import { accepted, dataOf, json, jsonBody, listOf } from '../http/openapi.ts'
import { scopedRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { ListReports, ReadFile, Report, RequestReport } from './schema.ts'

const request = scopedRoute({
  method: 'post',
  path: '/',
  operationId: 'requestReport',
  action: 'reports.request',
  tags: ['reports'],
  summary: 'Have a report made; a finished period that has one is answered with it',
  request: { headers: idempotencyHeaders, body: jsonBody(RequestReport) },
  responses: { 202: accepted(Report, 'The report; Location tells when it is ready') },
})

const list = scopedRoute({
  method: 'get',
  path: '/',
  operationId: 'listReports',
  action: 'reports.read',
  tags: ['reports'],
  summary: 'All reports',
  request: { query: ListReports },
  responses: { 200: json(listOf(Report), 'A page of reports') },
})

const get = scopedRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getReport',
  action: 'reports.read',
  tags: ['reports'],
  summary: 'A report and how far it is',
  request: { params: idParam },
  responses: { 200: json(dataOf(Report), 'The report') },
})

const file = scopedRoute({
  method: 'get',
  path: '/{id}/file',
  operationId: 'getReportFile',
  action: 'reports.read',
  tags: ['reports'],
  summary: 'The report as PDF, or its orders as CSV',
  request: { params: idParam, query: ReadFile, headers: fileHeaders },
  responses: fileResponses(['application/pdf', 'text/csv'], 'The file, to be saved'),
  errors: ['REPORT_NOT_READY', 'RANGE_NOT_SATISFIABLE'],
})

export const reportRoutes = createRouter()
  .openapi(request, async (c) => {
    const body = c.req.valid('json')
    const once = onceOf(c, request, { body })
    const reply = await c.var.services.reports.request(c.var.actor, body, once)
    return sendReply<Report, 202>(c, reply, '/api/v1/reports')
  })
  .openapi(list, async (c) =>
    c.json(await c.var.services.reports.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.reports.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(file, async (c) => {
    const { format } = c.req.valid('query')
    return await sendFile(c, await c.var.services.reports.file(c.var.actor, c.req.valid('param').id, format))
  })
