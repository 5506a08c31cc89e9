import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Actor } from '../../shared/actor.ts'
import { AppError } from '../../shared/errors.ts'
import { bearerOf } from '../bearer.ts'
import type { AppEnv } from '../context.ts'

const unauthenticated = (description?: string): AppError =>
  new AppError('UNAUTHENTICATED', 'Send a valid access token as Authorization: Bearer', {
    // RFC 6750 section 3.1: an error attribute only when a credential was sent.
    headers: {
      'WWW-Authenticate': `Bearer realm="selvedge"${description === undefined ? '' : `, error="invalid_token"`}`,
    },
  })

/** The token of `Authorization: Bearer`, undefined without the header. */
const tokenOf = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  const token = bearerOf(header)
  if (token === undefined) throw unauthenticated('malformed')
  return token
}

/** What an account is shown is for no cache; what depends on being one says so. */
const keepPrivate = (c: Context): void => {
  const { headers } = c.res
  // The same for everyone, whoever they are: one copy in a cache is enough.
  if (headers.get('Cache-Control')?.startsWith('public') === true) return
  headers.append('Vary', 'Authorization')
  if (c.req.header('Authorization') !== undefined && !headers.has('Cache-Control')) {
    headers.set('Cache-Control', 'no-store')
  }
}

/** Sets `c.var.actor` when a credential is sent; a bad one is refused, never ignored. */
export const identify = createMiddleware<AppEnv & { Variables: { actor: Actor | undefined } }>(
  async function identify(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token !== undefined) {
      const actor = await c.var.services.auth.verify(token)
      if (actor === undefined) throw unauthenticated('invalid')
      c.set('actor', actor)
      c.set('userId', actor.id)
    }
    await next()
    keepPrivate(c)
  },
)

/** The same, but a credential is required. */
export const authenticate = createMiddleware<AppEnv & { Variables: { actor: Actor } }>(
  async function authenticate(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token === undefined) throw unauthenticated()
    const actor = await c.var.services.auth.verify(token)
    if (actor === undefined) throw unauthenticated('invalid')
    c.set('actor', actor)
    c.set('userId', actor.id)
    await next()
    keepPrivate(c)
  },
)

export const requireAdmin = createMiddleware<AppEnv & { Variables: { actor: Actor } }>(
  async function requireAdmin(c, next) {
    if (c.var.actor.role !== 'admin') throw new AppError('FORBIDDEN', 'Your role does not allow this')
    await next()
  },
)
