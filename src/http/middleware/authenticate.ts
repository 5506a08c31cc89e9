import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Services } from '../../services.ts'
import type { Actor, UserActor } from '../../shared/actor.ts'
import { can, type Action } from '../../shared/can.ts'
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
  headers.append('Vary', 'Authorization')
  if (c.req.header('Authorization') !== undefined && !headers.has('Cache-Control')) {
    headers.set('Cache-Control', 'no-store')
  }
}

const authorise = (actor: Actor | undefined, action: Action): void => {
  if (!can(actor, action)) throw new AppError('FORBIDDEN', 'Your role does not allow this')
}

const userOf = async ({ auth }: Services, token: string): Promise<UserActor> => {
  const actor = await auth.verify(token)
  if (actor === undefined) throw unauthenticated('invalid')
  return actor
}

/** Sets `c.var.actor` when a credential is sent; a bad one is refused, never ignored. */
export const identify = (action: Action) =>
  createMiddleware<AppEnv & { Variables: { actor: Actor | undefined } }>(async function identify(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token !== undefined) {
      const actor = await userOf(c.var.services, token)
      c.set('actor', actor)
      c.set('userId', actor.id)
      authorise(actor, action)
    }
    await next()
    keepPrivate(c)
  })

/** For whoever is logged in and may do this. */
export const authenticateUser = (action: Action) =>
  createMiddleware<AppEnv & { Variables: { actor: UserActor } }>(async function authenticateUser(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token === undefined) throw unauthenticated()
    const actor = await userOf(c.var.services, token)
    c.set('actor', actor)
    c.set('userId', actor.id)
    authorise(actor, action)
    await next()
    keepPrivate(c)
  })
