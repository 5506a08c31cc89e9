import { expect, it } from 'vitest'
import * as protocol from '../chat/protocol.ts'
import * as values from './protocol-values.ts'

it('agree with the protocol', () => {
  expect(protocol).toMatchObject({ ...values, limits: expect.objectContaining(values.limits) })
})
