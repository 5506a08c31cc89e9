import { dataOf, json, jsonBody, noContent } from '../http/openapi.ts'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { idParam } from '../shared/query.ts'
import { ListNotifications, MarkAllRead, NotificationList, StoredNotification } from './schema.ts'

const list = userRoute({
  method: 'get',
  path: '/',
  operationId: 'listNotifications',
  tags: ['realtime'],
  summary: 'Your notifications of the last seven days, newest first',
  request: { query: ListNotifications },
  responses: { 200: json(NotificationList, 'Notifications') },
})

const read = userRoute({
  method: 'put',
  path: '/{id}/read',
  operationId: 'markNotificationRead',
  tags: ['realtime'],
  summary: 'You have read it; the first time stays',
  request: { params: idParam },
  responses: { 200: json(dataOf(StoredNotification), 'The notification') },
})

const readAll = userRoute({
  method: 'put',
  path: '/read',
  operationId: 'markNotificationsRead',
  tags: ['realtime'],
  summary: 'You have read all up to a place in the log',
  request: { body: jsonBody(MarkAllRead) },
  responses: { 204: noContent },
})

export const notificationRoutes = createRouter()
  .openapi(list, async (c) =>
    c.json(await c.var.services.notifications.list(c.var.actor, c.req.valid('query')), 200),
  )
  .openapi(readAll, async (c) => {
    await c.var.services.notifications.markAllRead(c.var.actor, c.req.valid('json').upTo)
    return c.body(null, 204)
  })
  .openapi(read, async (c) => {
    const { id } = c.req.valid('param')
    return c.json({ data: await c.var.services.notifications.markRead(c.var.actor, id) }, 200)
  })
