import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Price } from './money.ts'

it('takes every amount from 0 to 99,999.99 in cents', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999_999 }), (cents) => {
      const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
      expect(Price.parse(text)).toBe(text)
    }),
  )
})

it.each([
  1,
  '',
  '-1',
  '+1',
  '01',
  '1.',
  '.5',
  '1.005',
  '1,50',
  '1e3',
  '0x10',
  ' 1',
  '1\n',
  '100000',
  'NaN',
  '١',
])('refuses %j', (price) => {
  expect(Price.safeParse(price).success).toBe(false)
})
