import { idempotencyHeaders, onceOf, sendReply } from '../http/idempotency.ts'
import { created, dataOf, json, jsonBody, listOf, noContent } from '../http/openapi.ts'
import { publicRoute, scopedRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idOrSlugParam, idParam } from '../shared/query.ts'
import { Category, ChangeCategory, CreateCategory, ListCategories } from './schema.ts'

const list = publicRoute({
  method: 'get',
  path: '/',
  operationId: 'listCategories',
  tags: ['categories'],
  summary: 'Categories that are not archived',
  request: { query: ListCategories },
  responses: { 200: json(listOf(Category), 'A page of categories') },
})

const get = publicRoute({
  method: 'get',
  path: '/{idOrSlug}',
  operationId: 'getCategory',
  tags: ['categories'],
  summary: 'A category by id or slug',
  request: { params: idOrSlugParam },
  responses: { 200: json(dataOf(Category), 'The category') },
})

const create = scopedRoute({
  method: 'post',
  path: '/',
  operationId: 'createCategory',
  action: 'categories.write',
  tags: ['categories'],
  summary: 'Add a category',
  request: { headers: idempotencyHeaders, body: jsonBody(CreateCategory) },
  responses: { 201: created(Category, 'The new category') },
  errors: ['SLUG_TAKEN'],
})

const change = scopedRoute({
  method: 'patch',
  path: '/{id}',
  operationId: 'changeCategory',
  action: 'categories.write',
  tags: ['categories'],
  summary: 'Change a category',
  request: { params: idParam, body: jsonBody(ChangeCategory) },
  responses: { 200: json(dataOf(Category), 'The changed category') },
  errors: ['SLUG_TAKEN'],
})

const archive = scopedRoute({
  method: 'delete',
  path: '/{id}',
  operationId: 'archiveCategory',
  action: 'categories.write',
  tags: ['categories'],
  summary: 'Archive a category: its products stay, new ones are refused',
  request: { params: idParam },
  responses: { 204: noContent },
})

export const categoryRoutes = createRouter()
  .openapi(list, async (c) => c.json(await c.var.services.categories.list(c.req.valid('query')), 200))
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.categories.get(c.req.valid('param').idOrSlug) }, 200),
  )
  .openapi(create, async (c) => {
    const body = c.req.valid('json')
    const reply = await c.var.services.categories.create(c.var.actor, body, onceOf(c, create, { body }))
    return sendReply<Category, 201>(c, reply, '/api/v1/categories')
  })
  .openapi(change, async (c) => {
    const category = await c.var.services.categories.change(
      c.var.actor,
      c.req.valid('param').id,
      c.req.valid('json'),
    )
    return c.json({ data: category }, 200)
  })
  .openapi(archive, async (c) => {
    await c.var.services.categories.archive(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
