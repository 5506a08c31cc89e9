import { publicRoute } from '../http/route.ts'
import { createRouter } from '../http/router.ts'
import { credentialOf, requireUpgrade, upgraded } from '../http/socket.ts'

const connect = publicRoute({
  method: 'get',
  path: '/socket',
  operationId: 'connectToInbox',
  tags: ['realtime'],
  summary: 'A WebSocket of your inbox: docs/realtime.md tells what travels over it',
  description:
    'Offer `Sec-WebSocket-Protocol: selvedge.v1, ticket.<ticket>`; programs may send Authorization: Bearer in place of a ' +
    'ticket. Ten sockets and event streams of an account.',
  responses: { 101: { description: 'Switched; resume first' } },
  errors: ['UPGRADE_REQUIRED', 'ORIGIN_REFUSED', 'UNAUTHENTICATED', 'TICKET_INVALID', 'TOO_MANY_SOCKETS'],
})

export const inboxSocketRoutes = createRouter().openapi(connect, async (c) => {
  requireUpgrade(c)
  return upgraded(c, await c.var.services.realtime.connectInbox(await credentialOf(c)))
})
