import { refuseIdempotencyKey } from '../http/idempotency.ts'
import { created, dataOf, json, jsonBody, listOf, noContent } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { z } from '@hono/zod-openapi'
import { idParam } from '../shared/query.ts'
import {
  ApiKey,
  ApiKeyUsage,
  CreateApiKey,
  ListApiKeys,
  NewApiKey,
  RotateApiKey,
  UsageOfDays,
} from './schema.ts'

const create = userRoute({
  method: 'post',
  path: '/',
  operationId: 'createApiKey',
  action: 'apiKeys.manage',
  tags: ['api-keys'],
  summary: 'Make an API key; it is shown this once',
  description:
    'A key acts for the account that made it, with the role that the account has now, and only in operations of its ' +
    'scopes. At most 20 living keys an account.',
  request: { body: jsonBody(CreateApiKey) },
  responses: { 201: created(NewApiKey, 'The new key') },
  errors: ['API_KEY_QUOTA', 'IDEMPOTENCY_NOT_SUPPORTED'],
})

const list = userRoute({
  method: 'get',
  path: '/',
  operationId: 'listApiKeys',
  action: 'apiKeys.manage',
  tags: ['api-keys'],
  summary: 'Your API keys, newest first, without their secrets',
  request: { query: ListApiKeys },
  responses: { 200: json(listOf(ApiKey), 'A page of keys') },
})

const get = userRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getApiKey',
  action: 'apiKeys.manage',
  tags: ['api-keys'],
  summary: 'One of your API keys',
  request: { params: idParam },
  responses: { 200: json(dataOf(ApiKey), 'The key') },
})

const revoke = userRoute({
  method: 'delete',
  path: '/{id}',
  operationId: 'revokeApiKey',
  action: 'apiKeys.manage',
  tags: ['api-keys'],
  summary: 'End an API key at once and for good',
  request: { params: idParam },
  responses: { 204: noContent },
})

const rotate = userRoute({
  method: 'post',
  path: '/{id}/rotate',
  operationId: 'rotateApiKey',
  action: 'apiKeys.manage',
  tags: ['api-keys'],
  summary: 'Give an API key a new secret; the old one works for overlapSeconds more',
  description: 'Only the secret before is kept: a second rotation ends the one before that at once.',
  request: { params: idParam, body: jsonBody(RotateApiKey) },
  responses: { 200: json(dataOf(NewApiKey), 'The key with its new secret') },
  errors: ['IDEMPOTENCY_NOT_SUPPORTED'],
})

const usage = userRoute({
  method: 'get',
  path: '/{id}/usage',
  operationId: 'getApiKeyUsage',
  action: 'apiKeys.manage',
  tags: ['api-keys'],
  summary: 'Requests of an API key by day',
  request: { params: idParam, query: UsageOfDays },
  responses: { 200: json(dataOf(z.array(ApiKeyUsage)), 'The last days, today as the last') },
})

export const apiKeyRoutes = createRouter()
  .openapi(create, async (c) => {
    refuseIdempotencyKey(c)
    const key = await c.var.services.apiKeys.create(c.var.actor, c.req.valid('json'))
    c.header('Location', `/api/v1/api-keys/${key.id}`)
    return c.json({ data: key }, 201)
  })
  .openapi(list, async (c) =>
    c.json(await c.var.services.apiKeys.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.apiKeys.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(revoke, async (c) => {
    await c.var.services.apiKeys.revoke(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(rotate, async (c) => {
    refuseIdempotencyKey(c)
    const { id } = c.req.valid('param')
    return c.json({ data: await c.var.services.apiKeys.rotate(c.var.actor, id, c.req.valid('json')) }, 200)
  })
  .openapi(usage, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(
      { data: await c.var.services.apiKeys.usage(c.var.actor, id, c.req.valid('query').days) },
      200,
    )
  })
