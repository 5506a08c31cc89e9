import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFrameCounter } from './frames.ts'

const join = (...parts: (string | number[] | Uint8Array)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  )

const uint32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const little = (value: number): Uint8Array => Buffer.from(uint32(value)).reverse()

/** A chunk's body and other things that frames have between them. */
type Frame = { body: Uint8Array; extras: Uint8Array[]; table: number | undefined }

const arbitraryFrames = fc.array(
  fc.record({
    body: fc.uint8Array({ maxLength: 600 }),
    extras: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 2 }),
    table: fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 12 },
)

const subBlocks = (bytes: Uint8Array): Uint8Array => {
  const blocks: Uint8Array[] = []
  for (let from = 0; from < bytes.length; from += 255) {
    const piece = bytes.subarray(from, from + 255)
    blocks.push(join([piece.length], piece))
  }
  return join(...blocks, [0])
}

const colours = (table: number | undefined): Uint8Array =>
  new Uint8Array(table === undefined ? 0 : 3 * 2 ** (table + 1)).fill(0x2c)

const flags = (table: number | undefined): number => (table === undefined ? 0 : 0x80 | table)

const gif = (frames: Frame[], global?: number): Uint8Array =>
  join(
    'GIF89a',
    [1, 0, 1, 0, flags(global), 0, 0],
    colours(global),
    ...frames.flatMap(({ body, extras, table }) => [
      ...extras.map((extra) => join([0x21, 0xf9], subBlocks(extra))),
      join([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, flags(table)], colours(table), [2], subBlocks(body)),
    ]),
    [0x3b],
  )

const riff = (type: string, body: Uint8Array): Uint8Array =>
  join(type, little(body.length), body, body.length % 2 === 0 ? [] : [0])

const webp = (frames: Frame[]): Uint8Array => {
  const body = join(
    'WEBP',
    riff('VP8X', new Uint8Array(10)),
    ...frames.flatMap(({ body, extras }) => [
      ...extras.map((extra) => riff('EXIF', extra)),
      riff('ANMF', body),
    ]),
  )
  return join('RIFF', little(body.length), body)
}

const chunk = (type: string, body: Uint8Array): Uint8Array => join(uint32(body.length), type, body, uint32(0))

const png = (frames: Frame[], declared = frames.length): Uint8Array =>
  join(
    [0x89],
    'PNG\r\n\x1a\n',
    chunk('IHDR', new Uint8Array(13)),
    chunk('acTL', join(uint32(declared), uint32(0))),
    ...frames.flatMap(({ body, extras }) => [
      ...extras.map((extra) => chunk('tEXt', extra)),
      chunk('fcTL', new Uint8Array(26)),
      chunk('fdAT', body),
    ]),
    chunk('IEND', new Uint8Array(0)),
  )

const countIn = (type: string, bytes: Uint8Array, cuts: number[] = []): number => {
  const counter = createFrameCounter(type)
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  for (const [n, from] of places.entries()) counter.push(bytes.subarray(from, places[n + 1] ?? bytes.length))
  return counter.frames()
}

const formats: [string, (frames: Frame[]) => Uint8Array][] = [
  ['image/gif', gif],
  ['image/webp', webp],
  ['image/png', png],
]

const cuts = fc.array(fc.nat(), { maxLength: 20 })

const one: Frame = { body: new Uint8Array(3), extras: [], table: undefined }

describe.each(formats)('the frames of %s', (type, fileOf) => {
  it('are counted, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(arbitraryFrames, cuts, (frames, at) => {
        expect(countIn(type, fileOf(frames), at)).toBe(frames.length)
      }),
    )
  })

  it('do not depend on the cuts in a file that is broken, and no byte makes it throw', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 })
    fc.assert(
      fc.property(arbitraryFrames, cuts, changes, fc.nat(), (frames, at, changed, end) => {
        const bytes = fileOf(frames).slice()
        for (const [place, value] of changed) bytes[place % bytes.length] = value
        const broken = bytes.subarray(0, end % (bytes.length + 1))
        const whole = countIn(type, broken)
        expect(whole).toBeGreaterThanOrEqual(1)
        expect(countIn(type, broken, at)).toBe(whole)
      }),
    )
  })

  it('are counted byte by byte in a file of a hundred and one', () => {
    const bytes = fileOf(Array.from({ length: 101 }, () => one))
    expect(countIn(type, bytes, Array.from(bytes.keys()))).toBe(101)
  })

  it('are those of the file alone, and not of what follows it', () => {
    const bytes = fileOf([one, one])
    // A RIFF file has no end of its own to go by: what a reader might still take for a frame counts.
    const expected = type === 'image/webp' ? 3 : 2
    const trailer = type === 'image/webp' ? riff('ANMF', new Uint8Array(2)) : fileOf([one]).subarray(8)
    expect(countIn(type, join(bytes, trailer))).toBe(expected)
  })
})

describe('frames', () => {
  it('of an APNG are as many as it declares or has, whichever is more', () => {
    expect(countIn('image/png', png([one], 4_000_000_000))).toBe(4_000_000_000)
    expect(countIn('image/png', png([one, one, one], 1))).toBe(3)
  })

  it('of a GIF are found behind stray bytes, as decoders find them, but not behind any number of them', () => {
    const bytes = gif([one, one], 3)
    const behind = (stray: number) =>
      join(bytes.subarray(0, -1), new Uint8Array(stray), gif([one]).subarray(13))
    expect(countIn('image/gif', behind(1_000))).toBe(3)
    expect(countIn('image/gif', behind(2_000))).toBe(2)
  })

  it('are one where there is no animation', () => {
    expect(countIn('image/jpeg', join([0xff, 0xd8, 0xff]))).toBe(1)
    expect(countIn('image/png', join([0x89], 'PNG\r\n\x1a\n', chunk('IDAT', new Uint8Array(9))))).toBe(1)
    expect(countIn('image/gif', new Uint8Array(0))).toBe(1)
  })
})
