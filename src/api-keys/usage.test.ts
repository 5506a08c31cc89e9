import { describe, expect, it } from 'vitest'
import { afterTelling, count, emptyTally, endOf, totalsOf } from './usage.ts'

const noon = Date.parse('2026-11-20T12:00:00.000Z')
const nextDay = Date.parse('2026-11-21T00:00:01.000Z')

describe('the use of a key', () => {
  it('is told as the totals of its days', () => {
    const tally = [noon, noon + 1, nextDay].reduce(count, emptyTally)
    expect(totalsOf(tally)).toEqual({
      days: [
        { day: '2026-11-20', requests: 2 },
        { day: '2026-11-21', requests: 1 },
      ],
      lastUsedAt: nextDay,
    })
  })

  it('is told again only when there is more of it', () => {
    const tally = count(emptyTally, noon)
    const told = afterTelling(tally, totalsOf(tally)!, noon)
    expect(totalsOf(told)).toBeUndefined()
    expect(totalsOf(count(told, noon))?.days).toEqual([{ day: '2026-11-20', requests: 2 }])
  })

  it('does not lose what came while it was told', () => {
    const tally = count(emptyTally, noon)
    const meanwhile = count(tally, noon + 5)
    const after = afterTelling(meanwhile, totalsOf(tally)!, noon + 6)
    expect(totalsOf(after)?.days).toEqual([{ day: '2026-11-20', requests: 2 }])
  })

  it('is forgotten when its day is over and told, and not before', () => {
    const tally = count(emptyTally, noon)
    expect(afterTelling(tally, totalsOf(tally)!, noon).days).toHaveProperty('2026-11-20')
    expect(afterTelling(tally, totalsOf(tally)!, nextDay).days).toEqual({})
    expect(endOf(tally)).toBe(Date.parse('2026-11-21T00:00:00.000Z'))
    expect(endOf(emptyTally)).toBe(-Infinity)
  })
})
