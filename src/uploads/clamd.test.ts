import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkSize, framesOf, verdictOf } from './clamd.ts'

describe('an answer of clamd', () => {
  it('is a verdict when it is one of the two', () => {
    expect(verdictOf('stream: OK')).toEqual({ status: 'clean' })
    expect(verdictOf('stream: Win.Test.EICAR_HDB-1 FOUND')).toEqual({
      status: 'infected',
      signature: 'Win.Test.EICAR_HDB-1',
    })
  })

  it.each([
    'INSTREAM size limit exceeded. ERROR',
    'stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND',
    'stream: Heuristics.Limits.Exceeded FOUND',
  ])('is an error, and no virus, when it tells of a limit: %s', (answer) => {
    expect(() => verdictOf(answer)).toThrow('beyond a limit of the scanner')
  })

  it.each([
    '',
    'OK',
    'stream: ok',
    ' stream: OK',
    'stream: OK ',
    'stream: OK\nstream: x FOUND',
    'stream:  FOUND',
    'UNKNOWN COMMAND',
    "stream: Can't allocate memory ERROR",
    'COMMAND READ TIMED OUT',
  ])('is an error when it is anything else: %j', (answer) => {
    expect(() => verdictOf(answer)).toThrow('gave no verdict')
  })

  it('is never clean unless it is exactly that', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `stream: ${text}`),
        ),
        (answer) => {
          fc.pre(answer !== 'stream: OK')
          try {
            expect(verdictOf(answer).status).toBe('infected')
          } catch (error) {
            expect(error).toBeInstanceOf(Error)
          }
        },
      ),
    )
  })
})

describe('chunks', () => {
  it('carry every byte behind their length, and 64 KB at most', () => {
    const size = fc.integer({ min: 0, max: 3 * chunkSize })
    fc.assert(
      fc.property(size, (length) => {
        const bytes = new Uint8Array(length).map((_, n) => n % 251)
        const frames = [...framesOf(bytes)].map((frame) => Buffer.from(frame))
        for (const frame of frames) expect(frame.readUInt32BE(0)).toBe(frame.length - 4)
        expect(frames.every((frame) => frame.length > 4 && frame.length <= chunkSize + 4)).toBe(true)
        expect(Buffer.concat(frames.map((frame) => frame.subarray(4))).equals(bytes)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })
})
