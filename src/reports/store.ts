import type { Stored } from './file.ts'
import { inParts } from '../shared/parts.ts'

/** Bytes: the least that R2 takes for a part. */
const partSize = 5 * 1024 * 1024

type Part = { partNumber: number; etag: string }

type Metadata = { httpMetadata: { contentType: string } }

/** The binding to R2, as far as it is used here. */
type Bucket = {
  createMultipartUpload: (
    key: string,
    options: Metadata,
  ) => Promise<{
    uploadPart: (partNumber: number, bytes: Uint8Array) => Promise<Part>
    complete: (parts: Part[]) => Promise<Stored>
    abort: () => Promise<void>
  }>
  put: (key: string, bytes: Uint8Array, options: Metadata) => Promise<Stored>
  get: (
    key: string,
    options: { onlyIf: { etagMatches: string }; range?: ByteRange },
  ) => Promise<{ body?: ReadableStream } | null>
  delete: (keys: string[]) => Promise<void>
}

type ByteRange = { offset: number; length: number }

export type ReportStore = ReturnType<typeof createReportStore>

/** Over R2. What fails throws, and leaves no unfinished upload. */
export const createReportStore = (bucket: Bucket) => ({
  /** Streams what has no known length; holds two parts in memory at most. */
  async upload(key: string, contentType: string, source: AsyncIterable<Uint8Array>): Promise<Stored> {
    const upload = await bucket.createMultipartUpload(key, { httpMetadata: { contentType } })
    try {
      const parts: Part[] = []
      for await (const part of inParts(source, partSize)) {
        parts.push(await upload.uploadPart(parts.length + 1, part))
      }
      return await upload.complete(parts)
    } catch (error) {
      // Unfinished uploads end by themselves after seven days: what went wrong first is what matters.
      await upload.abort().catch(() => undefined)
      throw error
    }
  },

  put: async (key: string, contentType: string, bytes: Uint8Array): Promise<Stored> =>
    await bucket.put(key, bytes, { httpMetadata: { contentType } }),

  /** Undefined when there is no such object, or another one than `etag` names. */
  async read(key: string, etag: string, range?: ByteRange): Promise<ReadableStream | undefined> {
    const object = await bucket.get(key, { onlyIf: { etagMatches: etag }, ...(range && { range }) })
    return object?.body
  },

  remove: async (keys: string[]): Promise<void> => await bucket.delete(keys),
})
