import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

/**
 * CORS for these origins. What a page in a browser sends names its origin; everyone else only learns that the answer
 * depends on it, which spares two copies of the response.
 */
export const crossOrigin = (origins: string[]) => {
  const forPages = cors({
    origin: origins,
    // For the refresh cookie; its origins are named one by one.
    credentials: true,
    allowMethods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    allowHeaders: [
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'If-None-Match',
      'Range',
      'X-Request-Id',
      'traceparent',
    ],
    exposeHeaders: [
      'Content-Disposition',
      'Content-Range',
      'ETag',
      'Idempotency-Replayed',
      'Location',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'Server-Timing',
      'WWW-Authenticate',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'X-Request-Id',
    ],
    maxAge: 600,
  })
  return createMiddleware<AppEnv>(async function crossOrigin(c, next) {
    if (c.req.method === 'OPTIONS' || c.req.header('Origin') !== undefined) return await forPages(c, next)
    await next()
    c.res.headers.append('Vary', 'Origin')
  })
}
