import { describe, expect, it } from 'vitest'
import { createBreaker } from './breaker.ts'

const breaker = () => createBreaker({ failures: 3, rest: 5_000 })

/** Three failures in a row, at 0. */
const opened = () => {
  const one = breaker()
  expect([one.failed(0), one.failed(0), one.failed(0)]).toEqual([false, false, true])
  return one
}

describe('a breaker', () => {
  it('opens after that many failures in a row', () => {
    const one = opened()
    expect([one.allows(0), one.allows(4_999)]).toEqual([false, false])
  })

  it('does not open when a success comes between', () => {
    const one = breaker()
    for (let n = 0; n < 10; n++) {
      expect([one.failed(n), one.failed(n), one.succeeded()]).toEqual([false, false, false])
    }
    expect(one.allows(10)).toBe(true)
  })

  it('lets one call through after its rest, and closes when that succeeds', () => {
    const one = opened()
    expect([one.allows(5_000), one.allows(5_000), one.allows(9_999)]).toEqual([true, false, false])
    expect(one.succeeded()).toBe(true)
    expect(one.allows(5_001)).toBe(true)
    expect([one.failed(5_001), one.succeeded()]).toEqual([false, false])
  })

  it('rests again when that call fails, and says nothing of it', () => {
    const one = opened()
    expect(one.allows(6_000)).toBe(true)
    expect(one.failed(6_250)).toBe(false)
    expect([one.allows(11_249), one.allows(11_250)]).toEqual([false, true])
  })

  it('does not wait for ever for a call that never reports', () => {
    const one = opened()
    expect([one.allows(5_000), one.allows(9_999), one.allows(10_000)]).toEqual([true, false, true])
  })

  it('tells of calls under way that fail after it has opened only once', () => {
    const one = opened()
    expect([one.failed(10), one.failed(20)]).toEqual([false, false])
  })

  it('opens anew, and tells it, after it has closed', () => {
    const one = opened()
    one.succeeded()
    expect([one.failed(0), one.failed(0), one.failed(0)]).toEqual([false, false, true])
  })
})
