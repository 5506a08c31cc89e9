import { idempotencyHeaders, onceOf, sendReply } from '../http/idempotency.ts'
import { created, dataOf, json, jsonBody, listOf, noContent } from '../http/openapi.ts'
import { adminRoute, userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { ChangeUser, CreateUser, ListUsers, User } from './schema.ts'

const list = adminRoute({
  method: 'get',
  path: '/',
  operationId: 'listUsers',
  action: 'users.find',
  tags: ['users'],
  summary: 'Find accounts',
  request: { query: ListUsers },
  responses: { 200: json(listOf(User), 'A page of accounts') },
})

const get = userRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getUser',
  action: 'users.read',
  tags: ['users'],
  summary: 'An account: your own, or any as administrator',
  request: { params: idParam },
  responses: { 200: json(dataOf(User), 'The account') },
})

const create = adminRoute({
  method: 'post',
  path: '/',
  operationId: 'createUser',
  action: 'users.create',
  tags: ['users'],
  summary: 'Add an account',
  request: { headers: idempotencyHeaders, body: jsonBody(CreateUser) },
  responses: { 201: created(User, 'The new account') },
  errors: ['EMAIL_TAKEN'],
})

const change = userRoute({
  method: 'patch',
  path: '/{id}',
  limits: 'password',
  operationId: 'changeUser',
  action: 'users.change',
  tags: ['users'],
  summary: 'Change an account: your own, or any as administrator; roles and plans only as administrator',
  description:
    'Your own e-mail address is not changed here, not even as administrator: that is a 422 at `email` that names ' +
    'POST /api/auth/change-email, which mails a link to the new address. Your own password asks for the current one.',
  request: { params: idParam, body: jsonBody(ChangeUser) },
  responses: { 200: json(dataOf(User), 'The changed account') },
  errors: ['EMAIL_TAKEN', 'LAST_ADMIN'],
})

const remove = adminRoute({
  method: 'delete',
  path: '/{id}',
  operationId: 'deleteUser',
  action: 'users.remove',
  tags: ['users'],
  summary: 'Delete an account: its sessions end, its orders stay without personal data',
  request: { params: idParam },
  responses: { 204: noContent },
  errors: ['LAST_ADMIN'],
})

export const userRoutes = createRouter()
  .openapi(list, async (c) => c.json(await c.var.services.users.list(c.var.actor, c.req.valid('query')), 200))
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.users.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(create, async (c) => {
    const body = c.req.valid('json')
    const reply = await c.var.services.users.create(c.var.actor, body, onceOf(c, create, { body }))
    return sendReply<User, 201>(c, reply, '/api/v1/users')
  })
  .openapi(change, async (c) => {
    const { id } = c.req.valid('param')
    return c.json({ data: await c.var.services.users.change(c.var.actor, id, c.req.valid('json')) }, 200)
  })
  .openapi(remove, async (c) => {
    await c.var.services.users.remove(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
