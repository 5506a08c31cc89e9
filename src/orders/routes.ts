import { idempotencyHeaders, onceOf, sendReply } from '../http/idempotency.ts'
import { created, dataOf, json, jsonBody, listOf } from '../http/openapi.ts'
import { scopedRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { ChangeStatus, ListOrders, Order, OrderDetail, PlaceOrder } from './schema.ts'

const place = scopedRoute({
  method: 'post',
  path: '/',
  operationId: 'placeOrder',
  action: 'orders.place',
  tags: ['orders'],
  summary: 'Place an order: all of it, or nothing',
  request: { headers: idempotencyHeaders, body: jsonBody(PlaceOrder) },
  responses: { 201: created(Order, 'The placed order') },
  errors: ['OUT_OF_STOCK'],
})

const list = scopedRoute({
  method: 'get',
  path: '/',
  operationId: 'listOrders',
  action: 'orders.read',
  tags: ['orders'],
  summary: 'Your orders, or everyone’s as administrator',
  request: { query: ListOrders },
  responses: { 200: json(listOf(Order), 'A page of orders') },
})

const get = scopedRoute({
  method: 'get',
  path: '/{id}',
  operationId: 'getOrder',
  action: 'orders.read',
  tags: ['orders'],
  summary: 'An order with its history',
  request: { params: idParam },
  responses: { 200: json(dataOf(OrderDetail), 'The order') },
})

const cancel = scopedRoute({
  method: 'post',
  path: '/{id}/cancel',
  operationId: 'cancelOrder',
  action: 'orders.cancel',
  tags: ['orders'],
  summary: 'Cancel a pending or paid order and restock it; again changes nothing',
  request: { headers: idempotencyHeaders, params: idParam },
  responses: { 200: json(dataOf(Order), 'The cancelled order') },
  errors: ['INVALID_TRANSITION'],
})

const changeStatus = scopedRoute({
  method: 'post',
  path: '/{id}/status',
  operationId: 'changeOrderStatus',
  action: 'orders.advance',
  tags: ['orders'],
  summary: 'Move an order along: pending, paid, shipped, delivered',
  request: { headers: idempotencyHeaders, params: idParam, body: jsonBody(ChangeStatus) },
  responses: { 200: json(dataOf(Order), 'The changed order') },
  errors: ['INVALID_TRANSITION'],
})

export const orderRoutes = createRouter()
  .openapi(place, async (c) => {
    const body = c.req.valid('json')
    const reply = await c.var.services.orders.place(c.var.actor, body, onceOf(c, place, { body }))
    return sendReply<Order, 201>(c, reply, '/api/v1/orders')
  })
  .openapi(list, async (c) =>
    c.json(await c.var.services.orders.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(get, async (c) =>
    c.json({ data: await c.var.services.orders.get(c.var.actor, c.req.valid('param').id) }, 200),
  )
  .openapi(cancel, async (c) => {
    const { id } = c.req.valid('param')
    const reply = await c.var.services.orders.cancel(c.var.actor, id, onceOf(c, cancel, { id }))
    return sendReply<Order, 200>(c, reply)
  })
  .openapi(changeStatus, async (c) => {
    const { id } = c.req.valid('param')
    const body = c.req.valid('json')
    const once = onceOf(c, changeStatus, { id, body })
    return sendReply<Order, 200>(c, await c.var.services.orders.changeStatus(c.var.actor, id, body, once))
  })
