import { expect, it } from 'vitest'
import { closeCodes, limits } from '../chat/protocol.ts'
import { subprotocol, ticketPrefix } from '../http/socket.ts'
import * as values from './protocol-values.ts'

it('agree with the protocol', () => {
  const { content, attachments, history } = limits
  expect({ ...values }).toEqual({
    ...{ subprotocol, ticketPrefix, closeCodes },
    limits: { content, attachments, history },
  })
})
