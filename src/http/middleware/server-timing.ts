import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

/** In development every response tells its round trips: `db;dur=<ms>;desc="<calls>"`. */
export const serverTiming = createMiddleware<AppEnv>(async function serverTiming(c, next) {
  await next()
  const { config, meter } = c.var
  if (!config.isDevelopment) return
  c.res.headers.set('Server-Timing', `db;dur=${meter.milliseconds};desc="${meter.calls}"`)
})
