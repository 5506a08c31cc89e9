import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { createMiddleware } from 'hono/factory'
import { AppError } from '../shared/errors.ts'
import type { AppEnv } from './context.ts'

/** `__Host-`: this host alone, over https, for every path; no subdomain can set it (RFC 6265bis, section 4.1.3). */
const name = '__Host-selvedge-refresh'

const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Strict' } as const

export const readRefreshCookie = (c: Context): string | undefined => getCookie(c, name)

export const setRefreshCookie = (c: Context, token: string, maxAge: number): void =>
  setCookie(c, name, token, { ...attributes, maxAge })

export const clearRefreshCookie = (c: Context): void => {
  if (readRefreshCookie(c) !== undefined) deleteCookie(c, name, attributes)
}

/**
 * Where a browser adds a credential by itself, it also says whose page asks: ours, or one of CORS_ORIGINS on the same
 * site. Nothing said is a refusal: every browser that knows the cookie's attributes sends both headers.
 * @throws ORIGIN_REFUSED
 */
export const requireOwnPage = ({ req, var: { config } }: Context<AppEnv>): void => {
  const [origin, site] = [req.header('Origin'), req.header('Sec-Fetch-Site')]
  if (origin !== undefined) {
    if (site === 'same-origin' && origin === new URL(req.url).origin) return
    if (site === 'same-site' && config.corsOrigins.includes(origin)) return
  }
  throw new AppError('ORIGIN_REFUSED', 'A request with a session cookie must come from a page of ours')
}

const reads = ['GET', 'HEAD', 'OPTIONS']

/** For every route: a write that bears the cookie comes from a page of ours. */
export const refuseForeignPages = createMiddleware<AppEnv>(async function refuseForeignPages(c, next) {
  if (!reads.includes(c.req.method) && readRefreshCookie(c) !== undefined) requireOwnPage(c)
  await next()
})
