import { AppError } from '../shared/errors.ts'
import { TimeoutError, within } from '../shared/within.ts'

/** Bytes that are asked for at a time: a runtime's own choice of a few KB costs a step through all layers each. */
const chunkSize = 64 * 1024

/** Milliseconds without a byte, and for the whole body. */
const maxSilence = 30_000
const maxDuration = 60 * 60_000

type Reader = { read: () => Promise<Uint8Array | undefined>; cancel: () => Promise<void> }

/** A stream of bytes lends its chunks a buffer; with `reuse` it is the same one for all. */
const byteReader = (body: ReadableStream, reuse: boolean): Reader => {
  const reader = body.getReader({ mode: 'byob' })
  let buffer = new ArrayBuffer(chunkSize)
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(reuse ? buffer : new ArrayBuffer(chunkSize)))
      if (value !== undefined && reuse) buffer = value.buffer as ArrayBuffer
      return done ? undefined : value
    },
    cancel: () => reader.cancel(),
  }
}

const plainReader = (body: ReadableStream): Reader => {
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  return {
    async read() {
      const { done, value } = await reader.read()
      return done ? undefined : value
    },
    cancel: () => reader.cancel(),
  }
}

const readerOf = (body: ReadableStream, reuse: boolean): Reader => {
  try {
    return byteReader(body, reuse)
  } catch {
    // Not a stream of bytes.
    return plainReader(body)
  }
}

const stalled = (message: string, cause?: unknown) => new AppError('UPLOAD_STALLED', message, { cause })

/**
 * The bytes of a request as they come. With `reuse` a chunk holds only until the next one is asked for.
 * @throws UPLOAD_STALLED when they come too slowly, or break off
 */
export async function* bytesOf(
  body: ReadableStream,
  { reuse, silence = maxSilence }: { reuse: boolean; silence?: number },
): AsyncGenerator<Uint8Array> {
  const reader = readerOf(body, reuse)
  const deadline = Date.now() + maxDuration
  let isOver = false
  try {
    for (;;) {
      const chunk = await within(silence, reader.read()).catch((error: unknown) => {
        isOver = !(error instanceof TimeoutError)
        throw stalled(isOver ? 'The body broke off' : 'The body came too slowly', error)
      })
      if (chunk === undefined) break
      if (Date.now() > deadline) throw stalled('The body came too slowly')
      if (chunk.length > 0) yield chunk
    }
    isOver = true
  } finally {
    // Whoever stops reading wants no more of it; that nobody sends any more is as good.
    if (!isOver) await reader.cancel().catch(() => undefined)
  }
}

/** The first bytes, and all of them again; `head` has `size` bytes or more, unless the source has fewer. */
export const peek = async (
  source: AsyncGenerator<Uint8Array>,
  size: number,
): Promise<{ head: Uint8Array; whole: AsyncGenerator<Uint8Array> }> => {
  const first: Uint8Array[] = []
  let length = 0
  while (length < size) {
    const next: IteratorResult<Uint8Array, void> = await source.next()
    if (next.done) break
    first.push(next.value.slice())
    length += next.value.length
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* first
      first.length = 0
      yield* source
    } finally {
      await source.return(undefined)
    }
  }
  return { head: Buffer.concat(first), whole: whole() }
}
