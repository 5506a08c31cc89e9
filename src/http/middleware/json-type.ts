import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

const anyJson = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i

/**
 * RFC 9110 allows blanks and empty parameters round a media type (section 5.6.6), which the validators do not know: JSON
 * is named to them in its plain form. JSON has no charset parameter (RFC 8259, section 11).
 */
export const plainJsonType = createMiddleware<AppEnv>(async function plainJsonType(c, next) {
  const type = c.req.header('Content-Type')
  if (type !== undefined && type !== 'application/json' && anyJson.test(type.trim())) {
    const headers = new Headers(c.req.raw.headers)
    headers.set('Content-Type', 'application/json')
    c.req.raw = new Request(c.req.raw, { headers })
  }
  await next()
})
