import { describe, expect, it } from 'vitest'
import { median, quantile, ratio } from './statistics.ts'

describe('a quantile', () => {
  it('is a value of the list, whatever its order', () => {
    expect(median([30, 10, 20])).toBe(20)
    expect(quantile([5, 1, 3, 2, 4], 1)).toBe(5)
    expect(quantile([5, 1, 3, 2, 4], 0)).toBe(1)
  })

  it('lies between the two nearest ranks in proportion', () => {
    expect(median([1, 2, 3, 4])).toBe(2.5)
    expect(quantile([0, 10], 0.95)).toBeCloseTo(9.5)
  })

  it('leaves the list as it was, and of nothing is not a number', () => {
    const values = [2, 1]
    median(values)
    expect(values).toEqual([2, 1])
    expect(median([])).toBeNaN()
  })
})

describe('a ratio', () => {
  it('is that of the medians, with the extremes of the single rounds', () => {
    expect(ratio([10, 20, 30], [10, 10, 10])).toEqual({ value: 2, low: 1, high: 3 })
  })

  it('hides no round: an outlier moves the extremes and not the value', () => {
    expect(ratio([10, 10, 1_000], [10, 10, 10])).toEqual({ value: 1, low: 1, high: 100 })
  })

  it('is refused when a side lacks a round', () => {
    expect(() => ratio([1, 2], [1])).toThrow('the same rounds')
  })
})
