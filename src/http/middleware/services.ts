import { createMiddleware } from 'hono/factory'
import type { Config } from '../../config.ts'
import type { Services, ServicesOf } from '../../services.ts'
import type { AppEnv } from '../context.ts'

/** Gives the request its configuration and its own services. */
export const services = (config: Config, create: ServicesOf) =>
  createMiddleware<AppEnv>(async function services(c, next) {
    const { log, meter, requestId, traceparent } = c.var
    const made: Services = create({
      log,
      meter,
      origin: { requestId, traceparent },
      after: (work) => c.executionCtx.waitUntil(work),
    })
    c.set('config', config)
    c.set('services', made)
    await next()
  })
