import { expect, it } from 'vitest'
import { createTally } from './tally.ts'

const byStatus = [
  { status: 'paid' as const, orders: 2, amount: 30n },
  { status: 'cancelled' as const, orders: 0, amount: 0n },
]

it('agrees with figures of the same orders and with no others', () => {
  const tally = createTally()
  tally.add([{ status: 'paid', total: '0.10' }])
  expect(tally.agreesWith({ byStatus })).toBe(false)
  tally.add([{ status: 'paid', total: '0.20' }])
  expect([tally.agreesWith({ byStatus }), tally.orders()]).toEqual([true, 2])
  tally.add([{ status: 'cancelled', total: '0.00' }])
  expect(tally.agreesWith({ byStatus })).toBe(false)
})

it('notices a status that has moved, although the sum is the same', () => {
  const tally = createTally()
  tally.add([
    { status: 'paid', total: '0.10' },
    { status: 'cancelled', total: '0.20' },
  ])
  expect(tally.agreesWith({ byStatus })).toBe(false)
})
