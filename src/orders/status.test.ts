import { expect, it } from 'vitest'
import { cancellable, orderStatuses, predecessorOf } from './status.ts'

it('leads from pending through paid and shipped to delivered, and to nothing else', () => {
  expect(Object.fromEntries(orderStatuses.map((status) => [status, predecessorOf(status)]))).toEqual({
    pending: undefined,
    paid: 'pending',
    shipped: 'paid',
    delivered: 'shipped',
    cancelled: undefined,
  })
})

it('lets an order be cancelled until it is shipped', () => {
  expect(cancellable).toEqual(['pending', 'paid'])
})
