import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { dataOf, json, jsonBody, noContent } from '../http/openapi.ts'
import { publicRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import {
  ChangeEmail,
  ChangePassword,
  ForgotPassword,
  Register,
  Registered,
  ResendVerification,
  ResetPassword,
  VerifyEmail,
} from './schema.ts'

const register = publicRoute({
  method: 'post',
  path: '/register',
  limits: 'register',
  operationId: 'register',
  tags: ['auth'],
  summary: 'Make an account for yourself',
  description:
    'The answer is the same whether the address is new or taken; the mail that follows tells. It has a link to ' +
    '/verify-email of APP_URL, or says that there is an account. Unless EMAIL_VERIFICATION is required, the new account ' +
    'can log in at once.',
  request: { body: jsonBody(Register) },
  responses: { 202: json(dataOf(Registered), 'A mail is on its way') },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED'],
})

const verify = publicRoute({
  method: 'post',
  path: '/verify-email',
  operationId: 'verifyEmail',
  tags: ['auth'],
  summary: 'Confirm an address by the token of a mail, of a registration or of a change of address',
  request: { body: jsonBody(VerifyEmail) },
  responses: { 204: noContent },
  errors: ['LINK_INVALID', 'EMAIL_TAKEN', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

const resend = publicRoute({
  method: 'post',
  path: '/resend-verification',
  limits: 'confirm',
  operationId: 'resendVerification',
  tags: ['auth'],
  summary: 'Ask for another mail by which the address of an account can be confirmed',
  description:
    'The answer is the same whether the address is unknown, confirmed or not. The link works for a day.',
  request: { body: jsonBody(ResendVerification) },
  responses: { 204: noContent },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED'],
})

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
  limits: 'password',
  operationId: 'changePassword',
  tags: ['auth'],
  summary: 'Set a new password; every session but this one ends',
  request: { body: jsonBody(ChangePassword) },
  responses: { 204: noContent },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED', 'ORIGIN_REFUSED'],
})

const changeEmail = userRoute({
  method: 'post',
  path: '/change-email',
  limits: 'emailChange',
  operationId: 'changeEmail',
  tags: ['auth'],
  summary: 'Ask for another e-mail address; it changes when the link that is mailed there is used',
  description:
    'The old address is told, now and then. The answer is the same when the new address is taken. The link works for ' +
    'an hour; asking again, a new password or a reset makes it useless.',
  request: { body: jsonBody(ChangeEmail) },
  responses: { 202: json(dataOf(Registered), 'A mail is on its way') },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED', 'ORIGIN_REFUSED'],
})

/** Below /api/auth: what an account's owner does about the ways into it. */
export const accountRoutes = createRouter()
  .openapi(register, async (c) => {
    refuseIdempotencyKey(c)
    return c.json({ data: await c.var.services.registration.register(c.req.valid('json')) }, 202)
  })
  .openapi(verify, async (c) => {
    refuseIdempotencyKey(c)
    await c.var.services.registration.verify(c.req.valid('json'))
    return c.body(null, 204)
  })
  .openapi(resend, async (c) => {
    refuseIdempotencyKey(c)
    await c.var.services.registration.resend(c.req.valid('json'))
    return c.body(null, 204)
  })
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
  .openapi(changeEmail, async (c) => {
    refuseIdempotencyKey(c)
    const { actor, services } = c.var
    const asked = c.req.valid('json')
    await services.emailChange.ask(actor, asked)
    return c.json({ data: { email: asked.email } }, 202)
  })
