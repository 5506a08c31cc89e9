import { dataOf, json, jsonBody } from '../http/openapi.ts'
import { publicRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { invalid } from '../shared/errors.ts'
import { isListenedTo, MailEvent, Receipt, SignatureHeaders, WebhookMessage } from './schema.ts'

const receive = publicRoute({
  method: 'post',
  path: '/resend',
  operationId: 'receiveMailEvent',
  tags: ['webhooks'],
  summary: 'For the mail provider: what became of a mail. Signed, and each event counts once',
  request: { headers: SignatureHeaders, body: jsonBody(WebhookMessage) },
  responses: { 200: json(dataOf(Receipt), 'Taken: not to be sent again') },
  errors: ['WEBHOOK_REFUSED'],
})

export const webhookRoutes = createRouter().openapi(receive, async (c) => {
  const headers = c.req.valid('header')
  const { mail } = c.var.services
  const id = mail.verify({
    id: headers['svix-id'],
    timestamp: headers['svix-timestamp'],
    signature: headers['svix-signature'],
    // As it came: the validator has parsed a copy.
    body: await c.req.text(),
  })
  const message = c.req.valid('json')
  if (!isListenedTo(message.type)) return c.json({ data: { outcome: 'ignored' as const } }, 200)
  const event = MailEvent.safeParse(message)
  if (!event.success) {
    throw invalid(
      ...event.error.issues.map(({ path, message: text }) => ({ field: path.join('.'), message: text })),
    )
  }
  return c.json({ data: await mail.record(id, event.data) }, 200)
})
