import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { jsonBody, noContent } from '../http/openapi.ts'
import { publicRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { ChangePassword, ForgotPassword, ResetPassword } from './schema.ts'

const forgot = publicRoute({
  method: 'post',
  path: '/forgot-password',
  limits: 'forgot',
  operationId: 'forgotPassword',
  tags: ['auth'],
  summary: 'Ask for a mail by which a new password can be set',
  description:
    'The answer is the same whether the address is known or not. The link in the mail leads to /reset-password of ' +
    'APP_URL, its token is in the fragment, and it works once, within 30 minutes.',
  request: { body: jsonBody(ForgotPassword) },
  responses: { 204: noContent },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED'],
})

const reset = publicRoute({
  method: 'post',
  path: '/reset-password',
  operationId: 'resetPassword',
  tags: ['auth'],
  summary: 'Set a new password by the token of a mail; every session ends',
  request: { body: jsonBody(ResetPassword) },
  responses: { 204: noContent },
  errors: ['LINK_INVALID', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

const change = userRoute({
  method: 'post',
  path: '/change-password',
  operationId: 'changePassword',
  tags: ['auth'],
  summary: 'Set a new password; every session but this one ends',
  request: { body: jsonBody(ChangePassword) },
  responses: { 204: noContent },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED', 'ORIGIN_REFUSED'],
})

/** Below /api/auth: what an account's owner does about the ways into it. */
export const accountRoutes = createRouter()
  .openapi(forgot, async (c) => {
    refuseIdempotencyKey(c)
    await c.var.services.recovery.forgot(c.req.valid('json'))
    return c.body(null, 204)
  })
  .openapi(reset, async (c) => {
    refuseIdempotencyKey(c)
    await c.var.services.recovery.reset(c.req.valid('json'))
    return c.body(null, 204)
  })
  .openapi(change, async (c) => {
    refuseIdempotencyKey(c)
    const { actor, services } = c.var
    await services.users.change(actor, actor.id, c.req.valid('json'))
    return c.body(null, 204)
  })
