import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { dataOf, json, jsonBody } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { RequestTicket, SocketTicket } from './schema.ts'

const issue = userRoute({
  method: 'post',
  path: '/tickets',
  operationId: 'issueSocketTicket',
  tags: ['realtime'],
  summary: 'A ticket for one socket: of a conversation, or of your inbox',
  description:
    'For browsers, which cannot send Authorization with an upgrade. Once, within 30 seconds, for what it was asked for.',
  request: { body: jsonBody(RequestTicket) },
  responses: { 201: json(dataOf(SocketTicket), 'The ticket') },
  errors: ['NOT_FOUND', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

export const realtimeRoutes = createRouter().openapi(issue, async (c) => {
  refuseIdempotencyKey(c)
  c.header('Cache-Control', 'no-store')
  return c.json({ data: await c.var.services.realtime.issueTicket(c.var.actor, c.req.valid('json')) }, 201)
})
