import { describe, expect, it } from 'vitest'
import { joinTrace } from './trace.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'

describe('joinTrace', () => {
  it('goes on in the trace of the caller as a span of its own, with its flags', () => {
    const joined = joinTrace(`00-${traceId}-${parent}-01`)
    expect(joined.traceId).toBe(traceId)
    expect(joined.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
    expect(joined.traceparent).not.toContain(parent)
  })

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${parent}-01`],
    ['a parent of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${traceId.toUpperCase()}-${parent}-01`],
    ['another version', `ff-${traceId}-${parent}-01`],
    ['a trailing part', `00-${traceId}-${parent}-01-x`],
    ['a line break', `00-${traceId}-${parent}-01\n`],
  ])('begins a trace for %s', (_, header) => {
    const begun = joinTrace(header)
    expect(begun.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(begun.traceId).not.toBe(traceId)
    expect(begun.traceparent).toMatch(new RegExp(`^00-${begun.traceId}-[0-9a-f]{16}-00$`))
  })
})
