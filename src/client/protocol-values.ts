import type { closeCodes as Codes, limits as Limits } from '../chat/protocol.ts'

// The values of src/chat/protocol.ts and src/http/socket.ts that the client needs, without what comes with them;
// protocol-values.test.ts holds both against each other.

export const subprotocol = 'selvedge.v1'

export const ticketPrefix = 'ticket.'

export const closeCodes: typeof Codes = {
  revoked: 4001,
  removed: 4003,
  flood: 4008,
  slow: 4009,
  protocol: 4400,
}

export const limits: Pick<typeof Limits, 'content' | 'attachments' | 'history'> = {
  content: 4_000,
  attachments: 10,
  history: 100,
}
