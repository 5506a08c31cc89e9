import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { dataOf, json, jsonBody } from '../http/openapi.ts'
import { publicRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { KeySet, LoggedInUser, Login, TokenReply } from './schema.ts'

const login = publicRoute({
  method: 'post',
  path: '/login',
  limits: 'login',
  operationId: 'login',
  tags: ['auth'],
  summary: 'Exchange e-mail and password for an access token',
  description:
    'Attempts are limited for each address and for each account. An access token of a living session of the account, ' +
    'expired or not, sent as Authorization: Bearer, has a count of its own: guesses of others do not lock it out.',
  request: { body: jsonBody(Login) },
  responses: { 200: json(dataOf(TokenReply), 'An access token of 15 minutes') },
  errors: ['INVALID_CREDENTIALS', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

const me = userRoute({
  method: 'get',
  path: '/me',
  operationId: 'getCurrentUser',
  tags: ['auth'],
  summary: 'Who the access token belongs to',
  responses: { 200: json(dataOf(LoggedInUser), 'The account') },
})

export const authRoutes = createRouter()
  .openapi(login, async (c) => {
    refuseIdempotencyKey(c)
    const reply = await c.var.services.auth.login(c.req.valid('json'), c.req.header('User-Agent'))
    c.header('Cache-Control', 'no-store')
    return c.json({ data: reply }, 200)
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
