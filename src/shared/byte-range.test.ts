import fc from 'fast-check'
import { expect, it } from 'vitest'
import { byteRangeOf } from './byte-range.ts'

it('has no range for an empty file but its absence', () => {
  expect(byteRangeOf('bytes=0-', 0)).toBe('unsatisfiable')
  expect(byteRangeOf('bytes=-5', 0)).toBe('unsatisfiable')
  expect(byteRangeOf(undefined, 0)).toBeUndefined()
})

it('always lies within the file', () => {
  const number = fc.option(fc.nat(30), { nil: '' })
  fc.assert(
    fc.property(number, number, fc.nat(20), (from, to, size) => {
      const range = byteRangeOf(`bytes=${from}-${to}`, size)
      if (range === undefined || range === 'unsatisfiable') return
      expect(range.length).toBeGreaterThan(0)
      expect(range.offset + range.length).toBeLessThanOrEqual(size)
    }),
  )
})
