import { createHash } from 'node:crypto'
import { headSize, mediaTypeOf, type MediaType } from './media-type.ts'

export type Inspected = { mediaType: MediaType | undefined; size: number; sha256: string }

/** Reads what came in to its end, and holds no more than its head: size, checksum, and what its first bytes are. */
export const inspect = async (source: AsyncIterable<Uint8Array>): Promise<Inspected> => {
  const hash = createHash('sha256')
  const head = new Uint8Array(headSize)
  let size = 0
  for await (const chunk of source) {
    if (size < headSize) head.set(chunk.subarray(0, headSize - size), size)
    hash.update(chunk)
    size += chunk.length
  }
  return { mediaType: mediaTypeOf(head.subarray(0, size)), size, sha256: hash.digest('hex') }
}
