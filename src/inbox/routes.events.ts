import { z } from '@hono/zod-openapi'
import { userRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'

const stream = userRoute({
  method: 'get',
  path: '/',
  operationId: 'streamEvents',
  tags: ['realtime'],
  summary: 'What is new, as Server-Sent Events: status of orders, uploads, reports, unread messages',
  description:
    'For `fetch` with Authorization. Events `orderStatus`, `upload` and `reportReady` carry a notification and an id to ' +
    'go on from (`Last-Event-ID`); `unread` tells how it is now; `ready` comes first, or `resync` when what was asked for ' +
    'is gone: then read the list of notifications. Ten sockets and streams of an account.',
  request: {
    headers: z.object({
      'last-event-id': z.string().max(100).optional().openapi({
        description: 'The id of the last event that was seen; without it only new events come',
      }),
    }),
  },
  responses: {
    200: {
      description: 'Events until you close the stream or your session ends',
      content: { 'text/event-stream': { schema: z.string() } },
    },
  },
  errors: ['TOO_MANY_SOCKETS'],
})

export const eventRoutes = createRouter().openapi(stream, async (c) => {
  const events = await c.var.services.realtime.events(c.var.actor, c.req.valid('header')['last-event-id'])
  return c.body(events, 200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  })
})
