import { createMiddleware } from 'hono/factory'
import { newId } from '../../shared/ids.ts'
import type { Logger } from '../../shared/logger.ts'
import { newMeter } from '../../shared/meter.ts'
import { joinTrace } from '../../shared/trace.ts'
import type { AppEnv } from '../context.ts'

const acceptable = /^[A-Za-z0-9._-]{8,128}$/

/** First of all: gives the request its id, its trace and a logger that carries both. */
export const requestId = (log: Logger) =>
  createMiddleware<AppEnv>(async function requestId(c, next) {
    const given = c.req.header('X-Request-Id')
    const id = given !== undefined && acceptable.test(given) ? given : newId()
    const { traceId, traceparent } = joinTrace(c.req.header('traceparent'))
    c.set('requestId', id)
    c.set('traceparent', traceparent)
    c.set('log', log.with({ requestId: id, traceId }))
    c.set('meter', newMeter())
    await next()
    // `c.header` would copy the finished response, each time.
    const { headers } = c.res
    headers.set('X-Request-Id', id)
    headers.set('traceparent', traceparent)
  })
