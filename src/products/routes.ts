import { idempotencyHeaders, onceOf, sendReply } from '../http/idempotency.ts'
import { created, dataOf, json, jsonBody, listOf, noContent } from '../http/openapi.ts'
import { guestRoute, scopedRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idOrSlugParam, idParam } from '../shared/query.ts'
import { ChangeProduct, ChangeStock, CreateProduct, ListProducts, Product } from './schema.ts'

const list = guestRoute({
  method: 'get',
  path: '/',
  operationId: 'listProducts',
  action: 'products.read',
  tags: ['products'],
  summary: 'Browse and search the catalogue',
  request: { query: ListProducts },
  responses: { 200: json(listOf(Product), 'A page of products') },
})

const get = guestRoute({
  method: 'get',
  path: '/{idOrSlug}',
  operationId: 'getProduct',
  action: 'products.read',
  tags: ['products'],
  summary: 'A product by id or slug',
  request: { params: idOrSlugParam },
  responses: { 200: json(dataOf(Product), 'The product') },
})

const create = scopedRoute({
  method: 'post',
  path: '/',
  operationId: 'createProduct',
  action: 'products.write',
  tags: ['products'],
  summary: 'Add a product',
  request: { headers: idempotencyHeaders, body: jsonBody(CreateProduct) },
  responses: { 201: created(Product, 'The new product') },
  errors: ['SLUG_TAKEN'],
})

const change = scopedRoute({
  method: 'patch',
  path: '/{id}',
  operationId: 'changeProduct',
  action: 'products.write',
  tags: ['products'],
  summary: 'Change a product; its stock has an operation of its own',
  request: { params: idParam, body: jsonBody(ChangeProduct) },
  responses: { 200: json(dataOf(Product), 'The changed product') },
  errors: ['SLUG_TAKEN'],
})

const changeStock = scopedRoute({
  method: 'post',
  path: '/{id}/stock',
  operationId: 'changeStock',
  action: 'products.write',
  tags: ['products'],
  summary: 'Add to the stock or take from it, with a reason for the ledger',
  request: { headers: idempotencyHeaders, params: idParam, body: jsonBody(ChangeStock) },
  responses: { 200: json(dataOf(Product), 'The product with its new stock') },
  errors: ['OUT_OF_STOCK'],
})

const archive = scopedRoute({
  method: 'delete',
  path: '/{id}',
  operationId: 'archiveProduct',
  action: 'products.write',
  tags: ['products'],
  summary: 'Archive a product: it is no longer shown or sold, and stays in its orders',
  request: { params: idParam },
  responses: { 204: noContent },
})

export const productRoutes = createRouter()
  .openapi(list, async (c) =>
    c.json(await c.var.services.products.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(get, async (c) => {
    const product = await c.var.services.products.get(c.var.actor, c.req.valid('param').idOrSlug)
    return c.json({ data: product }, 200)
  })
  .openapi(create, async (c) => {
    const body = c.req.valid('json')
    const reply = await c.var.services.products.create(c.var.actor, body, onceOf(c, create, { body }))
    return sendReply<Product, 201>(c, reply, '/api/v1/products')
  })
  .openapi(change, async (c) => {
    const { id } = c.req.valid('param')
    return sendReply<Product, 200>(
      c,
      await c.var.services.products.change(c.var.actor, id, c.req.valid('json')),
    )
  })
  .openapi(changeStock, async (c) => {
    const { id } = c.req.valid('param')
    const body = c.req.valid('json')
    const once = onceOf(c, changeStock, { id, body })
    return sendReply<Product, 200>(c, await c.var.services.products.changeStock(c.var.actor, id, body, once))
  })
  .openapi(archive, async (c) => {
    await c.var.services.products.archive(c.var.actor, c.req.valid('param').id)
    return c.body(null, 204)
  })
