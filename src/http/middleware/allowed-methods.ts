import type { Hono, NotFoundHandler } from 'hono'
import { AppError, notFound } from '../../shared/errors.ts'
import type { AppEnv } from '../context.ts'
import { sendError } from '../errors.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Middleware is registered for ALL methods and answers nothing by itself. */
const hasRoute = (app: Hono<AppEnv>, method: string, path: string): boolean =>
  app.router.match(method, path)[0].some(([[, route]]) => route.method === method)

/** A path that exists under other methods is a 405 with Allow, everything else a 404. */
export const notFoundOrMethod =
  (app: Hono<AppEnv>): NotFoundHandler<AppEnv> =>
  (c) => {
    const allowed = methods.filter((method) => hasRoute(app, method, c.req.path))
    if (allowed.length === 0) return sendError(c, notFound('Route'))
    const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    return sendError(
      c,
      new AppError('METHOD_NOT_ALLOWED', `${c.req.method} is not allowed here`, {
        headers: { Allow: allow },
      }),
    )
  }
