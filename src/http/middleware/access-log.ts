import type { HonoRequest } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

/** Longer bodies are named by their size. */
const maxLoggedBody = 8_192

/** The body as a handler has parsed it; one that nobody read is not read for the log. */
const parsedBody = async ({ bodyCache }: HonoRequest): Promise<unknown> => {
  try {
    const text: unknown = await (bodyCache.text ?? bodyCache.json)
    if (text === undefined) return undefined
    const json = typeof text === 'string' ? text : JSON.stringify(text)
    return json.length > maxLoggedBody ? `${json.length} characters` : JSON.parse(json)
  } catch {
    return undefined
  }
}

/** One line a request; the query string stays out, headers and body (redacted by the logger) only at debug. */
export const accessLog = createMiddleware<AppEnv>(async function accessLog(c, next) {
  const started = Date.now()
  await next()
  const { log, meter, userId, keyId, config, limits = [] } = c.var
  const limitedBy = limits.find(({ retryMs }) => retryMs > 0)?.name
  const fields = {
    method: c.req.method,
    path: c.req.path,
    status: c.res.status,
    durationMs: Date.now() - started,
    ...(userId === undefined ? {} : { userId }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(limitedBy === undefined ? {} : { limitedBy }),
    ...(meter.calls === 0 ? {} : { databaseCalls: meter.calls, databaseMs: meter.milliseconds }),
  }
  if (config.logLevel !== 'debug') return log.info('request', fields)
  log.info('request', { ...fields, headers: c.req.header(), body: await parsedBody(c.req) })
})
