import { inParts } from '../shared/parts.ts'

/** What the store tells of an object: bytes, and its ETag without quotes. */
export type Stored = { size: number; etag: string }

export type Listed = { key: string; size: number; uploaded: Date }

type ByteRange = { offset: number; length: number }

type Metadata = { httpMetadata: { contentType: string; cacheControl?: string } }

type Part = { partNumber: number; etag: string }

type Multipart = {
  uploadId: string
  uploadPart: (partNumber: number, bytes: Uint8Array) => Promise<Part>
  complete: (parts: Part[]) => Promise<Stored>
  abort: () => Promise<void>
}

/** The binding to R2, as far as it is used here. */
type Bucket = {
  put: (key: string, body: ReadableStream | Uint8Array, options: Metadata) => Promise<Stored>
  createMultipartUpload: (key: string, options: Metadata) => Promise<Multipart>
  resumeMultipartUpload: (key: string, uploadId: string) => Pick<Multipart, 'abort' | 'complete'>
  get: (
    key: string,
    options?: { onlyIf: { etagMatches: string }; range?: ByteRange },
  ) => Promise<(Stored & { body?: ReadableStream<Uint8Array> }) | null>
  head: (key: string) => Promise<(Listed & Stored) | null>
  list: (options: {
    prefix: string
    startAfter?: string
    limit: number
  }) => Promise<{ objects: Listed[]; truncated: boolean }>
  delete: (keys: string[]) => Promise<void>
}

/** Of the Worker's runtime alone: the types of Node, which tests and tools are checked with, lack it. */
declare const FixedLengthStream: new (length: number) => {
  readable: ReadableStream
  writable: WritableStream<Uint8Array>
}

const metadata = (contentType: string): Metadata => ({ httpMetadata: { contentType } })

/** A key names one content for ever. */
const lasting = (contentType: string): Metadata => ({
  httpMetadata: { contentType, cacheControl: 'private, max-age=31536000, immutable' },
})

/** Bytes: the least that R2 takes for a part. */
const partSize = 5 * 1024 * 1024

/** R2 has no such multipart upload any more: it was completed, or aborted before. */
const isUnknownUpload = (error: unknown): boolean =>
  error instanceof Error && /\b10024\b|does not exist/i.test(error.message)

/** Parts that are not there, too small, or of sizes that differ: the client's, not ours. */
const isUnfit = (error: unknown): boolean =>
  error instanceof Error && /\((?:10011|10025|10048)\)/.test(error.message)

export type UploadStore = ReturnType<typeof createUploadStore>

/** Over R2; what fails throws. */
export const createUploadStore = (bucket: Bucket) => ({
  /**
   * Puts what has a known length, as it comes. The object is there when, and only when, the source ends with exactly
   * `length` bytes. A chunk may be reused once the next one is asked for.
   */
  async stream(
    key: string,
    contentType: string,
    length: number,
    source: AsyncIterable<Uint8Array>,
  ): Promise<Stored> {
    const { readable, writable } = new FixedLengthStream(length)
    const put = bucket.put(key, readable, metadata(contentType))
    // While the source is waited for, nobody looks at the put: when it fails, the next write does.
    put.catch(() => undefined)
    const writer = writable.getWriter()
    try {
      for await (const chunk of source) await writer.write(chunk)
      await writer.close()
      return await put
    } catch (error) {
      await writer.abort(error).catch(() => undefined)
      await put.catch(() => undefined)
      throw error
    }
  },

  put: async (key: string, contentType: string, bytes: Uint8Array): Promise<Stored> =>
    await bucket.put(key, bytes, metadata(contentType)),

  /** Of parts of 5 MiB or more, equal but for the last. Its id belongs into the row before the first part. */
  multipart: async (key: string, contentType: string): Promise<Multipart> =>
    await bucket.createMultipartUpload(key, metadata(contentType)),

  /** `unknown`: it was completed or aborted before. `unfit`: R2 cannot make an object of these parts. */
  async complete(key: string, multipartId: string, parts: Part[]): Promise<'done' | 'unknown' | 'unfit'> {
    try {
      await bucket.resumeMultipartUpload(key, multipartId).complete(parts)
      return 'done'
    } catch (error) {
      if (isUnknownUpload(error)) return 'unknown'
      if (isUnfit(error)) return 'unfit'
      throw error
    }
  },

  /** Once more, or too late, is no error. */
  async abort(key: string, multipartId: string): Promise<void> {
    await bucket
      .resumeMultipartUpload(key, multipartId)
      .abort()
      .catch((error: unknown) => {
        if (!isUnknownUpload(error)) throw error
      })
  },

  /** Puts what has no known length, as it comes; holds two parts in memory at most. For ever, under this key. */
  async keep(key: string, contentType: string, source: AsyncIterable<Uint8Array>): Promise<Stored> {
    const options = lasting(contentType)
    let first: Uint8Array | undefined
    let upload: Multipart | undefined
    const parts: Part[] = []
    try {
      for await (const part of inParts(source, partSize)) {
        if (first === undefined) {
          first = part
          continue
        }
        if (upload === undefined) {
          upload = await bucket.createMultipartUpload(key, options)
          parts.push(await upload.uploadPart(1, first))
        }
        parts.push(await upload.uploadPart(parts.length + 1, part))
      }
      const { size, etag } =
        upload === undefined
          ? await bucket.put(key, first ?? new Uint8Array(0), options)
          : await upload.complete(parts)
      return { size, etag }
    } catch (error) {
      // Unfinished uploads end by themselves after seven days: what went wrong first is what matters.
      await upload?.abort().catch(() => undefined)
      throw error
    }
  },

  /** Undefined when there is no such object, or another one than `etag` names. */
  async read(key: string, etag: string, range?: ByteRange): Promise<ReadableStream | undefined> {
    const object = await bucket.get(key, { onlyIf: { etagMatches: etag }, ...(range && { range }) })
    return object?.body
  },

  /** What lies there now, whichever it is. */
  async open(key: string): Promise<(Stored & { body: ReadableStream<Uint8Array> }) | undefined> {
    const object = await bucket.get(key)
    return object?.body && { size: object.size, etag: object.etag, body: object.body }
  },

  async head(key: string): Promise<Stored | undefined> {
    const object = await bucket.head(key)
    return object === null ? undefined : { size: object.size, etag: object.etag }
  },

  /** A page of what lies under the prefix, in the order of keys; `more` when it is not the last. */
  async list(
    prefix: string,
    { after, limit }: { after?: string | undefined; limit: number },
  ): Promise<{ objects: Listed[]; more: boolean }> {
    const { objects, truncated } = await bucket.list({
      prefix,
      limit,
      ...(after === undefined ? {} : { startAfter: after }),
    })
    return { objects, more: truncated }
  },

  remove: async (keys: string[]): Promise<void> => await bucket.delete(keys),
})
