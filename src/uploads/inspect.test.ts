import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inspect } from './inspect.ts'

async function* inChunks(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let from = 0, n = 0; from < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    yield bytes.subarray(from, (from += size))
  }
}

const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

describe('inspect', () => {
  it('tells the same of the same bytes, however they are cut', async () => {
    const bytes = fc.uint8Array({ maxLength: 10_000 }).map((rest) => Uint8Array.from([...png, ...rest]))
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }),
        async (all, sizes) => {
          expect(await inspect(inChunks(all, sizes))).toEqual({
            ...{ mediaType: 'image/png', size: all.length },
            sha256: createHash('sha256').update(all).digest('hex'),
          })
        },
      ),
    )
  })

  it('names no type for nothing, and for bytes that are none of the types', async () => {
    expect(await inspect(inChunks(new Uint8Array(), [1]))).toMatchObject({ mediaType: undefined, size: 0 })
    expect(await inspect(inChunks(Buffer.from('<html>'), [2]))).toMatchObject({
      mediaType: undefined,
      size: 6,
    })
  })
})
