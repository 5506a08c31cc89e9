import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Actor, KeyActor, UserActor } from '../../shared/actor.ts'
import { can, scopeOf, type Action, type ScopedAction } from '../../shared/can.ts'
import { AppError } from '../../shared/errors.ts'
import { bearerOf, isApiKey } from '../bearer.ts'
import type { AppEnv } from '../context.ts'
import { meet } from './rate-limiter.ts'

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

/** A missing scope is named; RFC 6750 would have it in WWW-Authenticate, which here only a 401 has. */
const authorise = (actor: Actor, action: Action): void => {
  if (can(actor, action)) return
  const scope = scopeOf(action)
  if (actor.kind === 'apiKey' && scope !== undefined && !actor.scopes.includes(scope)) {
    throw new AppError('INSUFFICIENT_SCOPE', `The API key lacks the scope ${scope}`, { details: { scope } })
  }
  throw new AppError('FORBIDDEN', 'Your role does not allow this')
}

/** Whose key it is, for the log too, and what its limit says. */
const keyOf = async (c: Context<AppEnv>, token: string): Promise<KeyActor> => {
  const admitted = await c.var.services.apiKeys.authenticate(token)
  if (admitted === undefined) throw unauthenticated('invalid')
  const { actor, verdict } = admitted
  c.set('userId', actor.id)
  c.set('keyId', actor.keyId)
  meet(c, [verdict])
  return actor
}

/** Who is logged in, for the log too. A key that has ended is told so, and not that keys may not do this. */
const userOf = async (c: Context<AppEnv>, token: string): Promise<UserActor> => {
  const { auth, apiKeys } = c.var.services
  if (isApiKey(token) && apiKeys.isGenuine(token)) {
    await keyOf(c, token)
    throw new AppError('FORBIDDEN', 'API keys may not do this: log in')
  }
  const actor = await auth.verify(token)
  if (actor === undefined) throw unauthenticated('invalid')
  c.set('userId', actor.id)
  return actor
}

const settle = async (c: Context<AppEnv>, token: string, action: Action): Promise<Actor> => {
  const takesKey = isApiKey(token) && scopeOf(action) !== undefined
  const actor = takesKey ? await keyOf(c, token) : await userOf(c, token)
  authorise(actor, action)
  return actor
}

/** Sets `c.var.actor` when a credential is sent; a bad one is refused, never ignored. */
export const identify = (action: Action) =>
  createMiddleware<AppEnv & { Variables: { actor: Actor | undefined } }>(async function identify(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token !== undefined) {
      // The context is the same; only its type knows of an actor yet to be set.
      c.set('actor', await settle(c as unknown as Context<AppEnv>, token, action))
    }
    await next()
    keepPrivate(c)
  })

/** For whoever may do this, by a session or by an API key. */
export const authenticate = (action: ScopedAction) =>
  createMiddleware<AppEnv & { Variables: { actor: Actor } }>(async function authenticate(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token === undefined) throw unauthenticated()
    c.set('actor', await settle(c as unknown as Context<AppEnv>, token, action))
    await next()
    keepPrivate(c)
  })

/** For whoever is logged in and may do this: no API key is. */
export const authenticateUser = (action: Action) =>
  createMiddleware<AppEnv & { Variables: { actor: UserActor } }>(async function authenticateUser(c, next) {
    const token = tokenOf(c.req.header('Authorization'))
    if (token === undefined) throw unauthenticated()
    const actor = await userOf(c as unknown as Context<AppEnv>, token)
    c.set('actor', actor)
    authorise(actor, action)
    await next()
    keepPrivate(c)
  })
