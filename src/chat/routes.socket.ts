import { publicRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { credentialOf, requireUpgrade, upgraded } from '../http/socket.ts'
import { idParam } from '../shared/query.ts'

const connect = publicRoute({
  method: 'get',
  path: '/{id}/socket',
  operationId: 'connectToConversation',
  tags: ['conversations'],
  summary: 'A WebSocket of the conversation: docs/realtime.md tells what travels over it',
  description:
    'Offer `Sec-WebSocket-Protocol: selvedge.v1, ticket.<ticket>`; programs may send Authorization: Bearer in place of a ' +
    'ticket. Five sockets of an account in a conversation.',
  request: { params: idParam },
  responses: { 101: { description: 'Switched; resume first' } },
  errors: [
    'UPGRADE_REQUIRED',
    'ORIGIN_REFUSED',
    'UNAUTHENTICATED',
    'TICKET_INVALID',
    'FORBIDDEN',
    'TOO_MANY_SOCKETS',
  ],
})

export const conversationSocketRoutes = createRouter().openapi(connect, async (c) => {
  requireUpgrade(c)
  const credential = await credentialOf(c)
  return upgraded(c, await c.var.services.realtime.connect(credential, c.req.valid('param').id))
})
