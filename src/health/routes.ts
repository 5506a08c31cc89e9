import { json } from '../http/openapi.ts'
import { publicRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { version } from '../version.ts'
import { Health, Readiness } from './schema.ts'

const health = publicRoute({
  method: 'get',
  path: '/health',
  limits: 'none',
  operationId: 'getHealth',
  tags: ['health'],
  summary: 'Is the Worker alive? Touches nothing else',
  responses: { 200: json(Health, 'Alive') },
})

const ready = publicRoute({
  method: 'get',
  path: '/ready',
  limits: 'none',
  operationId: 'getReadiness',
  tags: ['health'],
  summary: 'Can requests be served? Asks what they depend on',
  responses: {
    200: json(Readiness, 'Ready'),
    503: json(Readiness, 'A dependency that matters is down; see Retry-After'),
  },
})

/** Outside a request the clock of a Worker stands still: the first request is the earliest moment there is. */
let firstSeen: number | undefined

export const healthRoutes = createRouter()
  .openapi(health, (c) => {
    const now = Date.now()
    firstSeen ??= now
    c.header('Cache-Control', 'no-store')
    const uptime = (now - firstSeen) / 1_000
    return c.json({ status: 'ok' as const, timestamp: new Date(now).toISOString(), uptime, version }, 200)
  })
  .openapi(ready, async (c) => {
    const readiness = await c.var.services.health.readiness()
    c.header('Cache-Control', 'no-store')
    if (readiness.status === 'ready') return c.json(readiness, 200)
    c.header('Retry-After', '5')
    return c.json(readiness, 503)
  })
