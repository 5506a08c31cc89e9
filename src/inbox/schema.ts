import { z } from '@hono/zod-openapi'

const conversationId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f31'

export const RequestTicket = z
  .union([z.strictObject({ conversationId: z.uuid() }), z.strictObject({ inbox: z.literal(true) })])
  .openapi('RequestTicket', { example: { conversationId } })

export const SocketTicket = z
  .object({
    ticket: z.string().describe('Once, as Sec-WebSocket-Protocol: selvedge.v1, ticket.<ticket>'),
    expiresAt: z.iso.datetime().describe('In 30 seconds'),
  })
  .openapi('SocketTicket', {
    example: {
      ticket: 'AZl7LG8OfEqdVT8fby-fEgZq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS',
      expiresAt: '2026-11-20T12:00:30.000Z',
    },
  })
