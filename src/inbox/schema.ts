import { z } from '@hono/zod-openapi'
import { flag, Uuid, wholeNumber } from '../shared/query.ts'
import { Notification, retention } from './protocol.ts'

const conversationId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f31'

export const RequestTicket = z
  .union([z.strictObject({ conversationId: Uuid }), z.strictObject({ inbox: z.literal(true) })], {
    error: 'Name a conversation as conversationId, or ask for inbox: true, and nothing else',
  })
  .openapi('RequestTicket', { example: { conversationId } })

export const SocketTicket = z
  .object({
    ticket: z.string().describe('Once, as Sec-WebSocket-Protocol: selvedge.v1, ticket.<ticket>'),
    expiresAt: z.iso.datetime().describe('In 30 seconds'),
  })
  .openapi('SocketTicket', {
    example: {
      ticket: 'AZl7LG8OfEqdVT8fby-fEgZq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrSd2Vn8Lk0tYw5RzXaB3cQeT',
      expiresAt: '2026-11-20T12:00:30.000Z',
    },
  })

const example = {
  seq: 17,
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f41',
  at: '2026-11-20T12:00:00.000Z',
  subject: { kind: 'orderStatus', orderId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14', status: 'shipped' },
  readAt: null,
} as const

export const StoredNotification = z.object({ ...Notification.shape }).openapi('Notification', { example })

export const NotificationList = z
  .object({
    data: z.array(StoredNotification),
    page: z.object({
      nextCursor: z.int().nullable().describe('`before` of the next page; null: this is the last'),
      hasMore: z.boolean(),
    }),
    unread: z.int().describe('How many are unread in all'),
    position: z.string().describe('Last-Event-ID for a stream that begins where this list ends'),
  })
  .openapi('NotificationList', {
    example: {
      data: [example],
      page: { nextCursor: null, hasMore: false },
      unread: 1,
      position: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f42.17',
    },
  })

export const ListNotifications = z.strictObject({
  before: wholeNumber(1, 999_999_999, 999_999_999).describe('Only those with a smaller seq'),
  limit: wholeNumber(1, 100, 20),
  unread: flag.optional().describe('Only those that are unread'),
})

export type ListNotifications = z.infer<typeof ListNotifications>

export const MarkAllRead = z
  .strictObject({ upTo: z.int().min(1).describe(`A seq; at most ${retention.count} are kept`) })
  .openapi('MarkAllRead', { example: { upTo: 17 } })
