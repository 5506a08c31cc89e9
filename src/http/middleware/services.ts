import { createMiddleware } from 'hono/factory'
import type { Config } from '../../config.ts'
import type { Services } from '../../services.ts'
import type { Logger } from '../../shared/logger.ts'
import type { Meter } from '../../shared/meter.ts'
import type { AppEnv } from '../context.ts'

/** Gives the request its configuration and its own services. */
export const services = (config: Config, create: (context: { log: Logger; meter: Meter }) => Services) =>
  createMiddleware<AppEnv>(async function services(c, next) {
    c.set('config', config)
    c.set('services', create({ log: c.var.log, meter: c.var.meter }))
    await next()
  })
