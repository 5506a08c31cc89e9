import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

/** In development every response tells its round trips: `db;dur=<ms>;desc="<calls>"`. */
export const serverTiming = createMiddleware<AppEnv>(async function serverTiming(c, next) {
  await next()
  if (!c.var.config.isDevelopment) return
  const { calls, milliseconds } = c.var.meter
  c.header('Server-Timing', `db;dur=${milliseconds};desc="${calls}"`)
})
