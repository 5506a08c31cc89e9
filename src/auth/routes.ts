import type { Context } from 'hono'
import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { dataOf, json, jsonBody, listOf, noContent } from '../http/openapi.ts'
import {
  clearRefreshCookie,
  readRefreshCookie,
  requireOwnPage,
  setRefreshCookie,
} from '../http/refresh-cookie.ts'
import { publicRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import {
  KeySet,
  ListSessions,
  LoggedInUser,
  Login,
  Refresh,
  RefreshHeaders,
  Session,
  TokenReply,
  type Transport,
} from './schema.ts'

const login = publicRoute({
  method: 'post',
  path: '/login',
  limits: 'login',
  operationId: 'login',
  tags: ['auth'],
  summary: 'Exchange e-mail and password for an access token and a refresh token',
  description:
    'Attempts are limited for each address and for each account. An access token of a living session of the account, ' +
    'expired or not, sent as Authorization: Bearer, has a count of its own: guesses of others do not lock it out. With EMAIL_VERIFICATION=required the right password of an account whose ' +
    'address is not confirmed is a 403: POST /api/auth/resend-verification mails the link again.',
  request: { body: jsonBody(Login) },
  responses: { 200: json(dataOf(TokenReply), 'An access token of 15 minutes') },
  errors: ['INVALID_CREDENTIALS', 'EMAIL_NOT_VERIFIED', 'IDEMPOTENCY_NOT_SUPPORTED', 'ORIGIN_REFUSED'],
})

const refresh = publicRoute({
  method: 'post',
  path: '/refresh',
  operationId: 'refreshSession',
  tags: ['auth'],
  summary: 'Exchange a refresh token for the next one and an access token',
  description:
    'A refresh token is used once. The same token with the same Idempotency-Key within 60 seconds gets the same ' +
    'successor, as long as that is unused: a lost reply logs nobody out. Any other second use is a theft: the session ' +
    'ends, and its owner gets a mail.',
  request: { headers: RefreshHeaders, body: jsonBody(Refresh) },
  responses: { 200: json(dataOf(TokenReply), 'As of a login') },
  errors: ['REFRESH_INVALID', 'REFRESH_REUSED', 'ORIGIN_REFUSED'],
})

const logout = userRoute({
  method: 'post',
  path: '/logout',
  operationId: 'logout',
  tags: ['auth'],
  summary: 'End this session',
  responses: { 204: noContent },
  errors: ['ORIGIN_REFUSED'],
})

const logoutAll = userRoute({
  method: 'post',
  path: '/logout-all',
  operationId: 'logoutAll',
  tags: ['auth'],
  summary: 'End every session of the account, this one too',
  responses: { 204: noContent },
  errors: ['ORIGIN_REFUSED'],
})

const listSessions = userRoute({
  method: 'get',
  path: '/sessions',
  operationId: 'listSessions',
  tags: ['auth'],
  summary: 'The living sessions of the account, last used first',
  request: { query: ListSessions },
  responses: { 200: json(listOf(Session), 'A page of sessions') },
})

const endSession = userRoute({
  method: 'delete',
  path: '/sessions/{id}',
  operationId: 'endSession',
  tags: ['auth'],
  summary: 'End a session of the account',
  request: { params: idParam },
  responses: { 204: noContent },
  errors: ['ORIGIN_REFUSED'],
})

const me = userRoute({
  method: 'get',
  path: '/me',
  operationId: 'getCurrentUser',
  tags: ['auth'],
  summary: 'Who the access token belongs to',
  responses: { 200: json(dataOf(LoggedInUser), 'The account') },
})

/** Of whichever transport: nothing that holds a token is for a cache. */
const sendTokens = (c: Context, { refreshToken, ...reply }: TokenReply, transport: Transport): TokenReply => {
  c.header('Cache-Control', 'no-store')
  if (refreshToken === undefined) return reply
  if (transport === 'json') return { ...reply, refreshToken }
  setRefreshCookie(c, refreshToken, reply.refreshExpiresIn)
  return reply
}

export const authRoutes = createRouter()
  .openapi(login, async (c) => {
    refuseIdempotencyKey(c)
    const { transport, ...credentials } = c.req.valid('json')
    if (transport === 'cookie') requireOwnPage(c)
    const reply = await c.var.services.auth.login(credentials, c.req.header('User-Agent'))
    return c.json({ data: sendTokens(c, reply, transport) }, 200)
  })
  .openapi(refresh, async (c) => {
    const { transport, refreshToken } = c.req.valid('json')
    if (transport === 'cookie') requireOwnPage(c)
    const shown = transport === 'cookie' ? readRefreshCookie(c) : refreshToken
    const reply = await c.var.services.sessions.refresh(shown, c.req.valid('header')['idempotency-key'])
    return c.json({ data: sendTokens(c, reply, transport) }, 200)
  })
  .openapi(logout, async (c) => {
    await c.var.services.sessions.logout(c.var.actor)
    clearRefreshCookie(c)
    return c.body(null, 204)
  })
  .openapi(logoutAll, async (c) => {
    await c.var.services.sessions.logoutAll(c.var.actor)
    clearRefreshCookie(c)
    return c.body(null, 204)
  })
  .openapi(listSessions, async (c) =>
    c.json(await c.var.services.sessions.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(endSession, async (c) => {
    await c.var.services.sessions.end(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(me, async (c) => c.json({ data: await c.var.services.auth.me(c.var.actor) }, 200))

const keys = publicRoute({
  method: 'get',
  path: '/jwks.json',
  limits: 'none',
  operationId: 'getKeySet',
  tags: ['auth'],
  summary: 'Public keys that verify access tokens (RFC 7517)',
  responses: { 200: json(KeySet, 'The key set') },
})

export const wellKnownRoutes = createRouter().openapi(keys, (c) => {
  c.header('Cache-Control', 'public, max-age=300')
  return c.json(c.var.services.auth.keySet(), 200)
})
