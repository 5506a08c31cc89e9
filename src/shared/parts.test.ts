import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inParts } from './parts.ts'

async function* from(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

const partsOf = async (chunks: Uint8Array[], size: number): Promise<Uint8Array[]> => {
  const parts = []
  for await (const part of inParts(from(chunks), size)) parts.push(part.slice())
  return parts
}

it('cuts any stream into equal parts and a last one, and loses no byte', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 20 }), async (chunks, size) => {
      const parts = await partsOf(chunks, size)
      expect(parts.flatMap((part) => [...part])).toEqual(chunks.flatMap((chunk) => [...chunk]))
      expect(parts.slice(0, -1).every(({ length }) => length === size)).toBe(true)
      const last = parts.at(-1)?.length ?? -1
      expect(parts.length === 1 ? last >= 0 : last > 0).toBe(true)
    }),
  )
})

it('makes one empty part of nothing, because an upload has at least one', async () => {
  expect(await partsOf([], 5)).toEqual([new Uint8Array()])
})
