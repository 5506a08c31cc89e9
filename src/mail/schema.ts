import { z } from '@hono/zod-openapi'
import { isUuid } from '../shared/ids.ts'
import { eventTypes } from './status.ts'

/** What every message of the provider's webhooks has. */
export const WebhookMessage = z.looseObject({ type: z.string() }).openapi('MailEvent', {
  example: {
    type: 'email.delivered',
    created_at: '2026-11-20T12:00:03.000Z',
    data: {
      email_id: '56761188-7520-42d8-8898-ff6fc54ce618',
      to: ['ada@selvedge.test'],
      subject: 'Your order of 20 November 2026 is confirmed',
      tags: { job_id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f15' },
    },
  },
})

export const isListenedTo = (type: string): boolean => (eventTypes as string[]).includes(type)

/** A message about a mail: https://resend.com/docs/webhooks/event-types */
export const MailEvent = z.object({
  type: z.enum(eventTypes),
  created_at: z.coerce.date(),
  data: z.object({
    email_id: z.string().min(1).max(100),
    tags: z
      .object({ job_id: z.string().refine(isUuid).optional().catch(undefined) })
      .optional()
      .catch(undefined),
    bounce: z.object({ type: z.string() }).optional(),
  }),
})
export type MailEvent = z.infer<typeof MailEvent>

/** Headers of the Standard Webhooks scheme under the names that the provider's sender gives them. */
export const SignatureHeaders = z.object({
  'svix-id': z
    .string()
    .max(100)
    .optional()
    .openapi({ description: 'Names the message; the same at every try' }),
  'svix-timestamp': z
    .string()
    .max(20)
    .optional()
    .openapi({ description: 'Seconds; at most five minutes off' }),
  'svix-signature': z.string().max(2_000).optional().openapi({
    description: '`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; several with blanks between',
  }),
})

export const Receipt = z
  .object({
    outcome: z
      .enum(['recorded', 'repeated', 'unknown', 'ignored'])
      .describe('`unknown`: the mail is none of ours; `ignored`: we do not listen to this type'),
  })
  .openapi('MailEventReceipt', { example: { outcome: 'recorded' } })
export type Receipt = z.infer<typeof Receipt>
