import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from '../context.ts'

/** Where the refresh cookie is set, read or cleared: nowhere else a page's cookies are for us. */
const cookieRoutes = ['login', 'refresh', 'logout', 'logout-all'].map((name) => `/api/auth/${name}`)

/**
 * CORS for these origins. What a page in a browser sends names its origin; everyone else only learns that the answer
 * depends on it, which spares two copies of the response.
 */
export const crossOrigin = (origins: string[]) => {
  const corsWith = (credentials: boolean) =>
    cors({
      origin: origins,
      credentials,
      allowMethods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
      allowHeaders: [
        'Authorization',
        'Content-Digest',
        'Content-Type',
        'Idempotency-Key',
        'If-Modified-Since',
        'If-None-Match',
        'If-Range',
        'Range',
        'X-File-Name',
        'X-Request-Id',
        'X-Upload-Id',
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
  const [plain, withCookie] = [corsWith(false), corsWith(true)]
  return createMiddleware<AppEnv>(async function crossOrigin(c, next) {
    if (c.req.method === 'OPTIONS' || c.req.header('Origin') !== undefined) {
      return await (cookieRoutes.includes(c.req.path) ? withCookie : plain)(c, next)
    }
    await next()
    c.res.headers.append('Vary', 'Origin')
  })
}
