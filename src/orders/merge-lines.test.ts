import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../shared/errors.ts'
import { mergeLines } from './merge-lines.ts'

const productId = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const item = fc.record({ productId, quantity: fc.integer({ min: 1, max: 999 }) })
const items = fc.array(item, { minLength: 1, maxLength: 50 })

type Items = { productId: string; quantity: number }[]

const wanted = (asked: Items) => {
  const sums = new Map<string, number>()
  for (const { productId: id, quantity } of asked) sums.set(id, (sums.get(id) ?? 0) + quantity)
  return sums
}

describe('mergeLines', () => {
  it('asks for each product once, at its first line, for the sum', () => {
    const asked = [
      { productId: 'b', quantity: 1 },
      { productId: 'a', quantity: 2 },
      { productId: 'B', quantity: 3 },
    ]
    expect(mergeLines(asked)).toEqual([
      { n: 0, productId: 'b', quantity: 4 },
      { n: 1, productId: 'a', quantity: 2 },
    ])
  })

  it('keeps the sums and the order of any items, or names a line that takes a sum over 999', () => {
    fc.assert(
      fc.property(items, (asked) => {
        const sums = wanted(asked)
        if (Math.max(...sums.values()) > 999) {
          expect(() => mergeLines(asked)).toThrow(AppError)
          return
        }
        const lines = mergeLines(asked)
        expect(new Map(lines.map((line) => [line.productId, line.quantity]))).toEqual(sums)
        expect(lines.map(({ n }) => n)).toEqual(lines.map(({ n }) => n).toSorted((a, b) => a - b))
        for (const line of lines) {
          expect(asked.findIndex((one) => one.productId === line.productId)).toBe(line.n)
        }
      }),
    )
  })

  it('changes nothing of what it was given', () => {
    const asked = [
      { productId: 'a', quantity: 1 },
      { productId: 'a', quantity: 1 },
    ]
    mergeLines(asked)
    expect(asked).toEqual([
      { productId: 'a', quantity: 1 },
      { productId: 'a', quantity: 1 },
    ])
  })

  it.each([
    [[999, 1], 1],
    [[500, 499, 1], 2],
  ])('names the line of %j that goes over 999', (quantities, n) => {
    const asked = quantities.map((quantity) => ({ productId: 'a', quantity }))
    expect(() => mergeLines(asked)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        details: [{ field: `items.${n}.quantity`, message: 'adds up to more than 999' }],
      }),
    )
  })
})
