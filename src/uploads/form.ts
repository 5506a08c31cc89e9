import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import busboy from 'busboy'
import { AppError, invalid } from '../shared/errors.ts'

/** Bytes of a form beside its file: boundaries, headers of parts, other fields. */
export const formOverhead = 64 * 1024

export type FormFile = { name: string; type: string; bytes: AsyncGenerator<Uint8Array> }

const malformed = (cause: unknown) =>
  cause instanceof AppError
    ? cause
    : new AppError('MALFORMED_FORM', 'The form breaks off or is not well formed', { cause })

type Parser = ReturnType<typeof busboy>

const parserOf = (contentType: string, maxBytes: number): Parser => {
  try {
    return busboy({
      headers: { 'content-type': contentType },
      defParamCharset: 'utf8',
      // It stops at exactly fileSize, as if the file had ended there: one byte more tells a file that is too large.
      limits: { files: 1, fileSize: maxBytes + 1, fields: 20, fieldSize: 8_192, headerPairs: 50 },
    })
  } catch (error) {
    throw malformed(error)
  }
}

/**
 * The field `file` of a form, as it comes: nothing is read ahead of whoever reads it, but for a few chunks. Its bytes end
 * only when the whole form has ended well.
 * @throws MALFORMED_FORM, VALIDATION_FAILED when there is no such field
 */
export const fileOfForm = async (
  source: AsyncIterable<Uint8Array>,
  contentType: string,
  maxBytes: number,
): Promise<FormFile> => {
  const parser = parserOf(contentType, maxBytes)
  const input = Readable.from(source, { objectMode: false, highWaterMark: 64 * 1024 })
  const opened = Promise.withResolvers<FormFile>()

  async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk
      await ended
    } catch (error) {
      // The form's own error comes first: that of the field's stream only follows from it.
      throw malformed(
        await ended.then(
          () => error,
          (reason: unknown) => reason,
        ),
      )
    } finally {
      input.destroy()
    }
  }

  parser.on('file', (field, stream, { filename, mimeType }) => {
    if (field === 'file') {
      opened.resolve({ name: filename ?? '', type: mimeType, bytes: bytesOf(stream) })
    } else {
      opened.reject(invalid({ field, message: 'unknown field: the file belongs into "file"' }))
      stream.resume()
    }
  })
  // Read by whoever waits for the end of the form: the first file was told by then.
  parser.on('filesLimit', () => input.destroy(invalid({ field: 'file', message: 'must be one file' })))
  const ended = pipeline(input, parser)
  ended.then(
    () => opened.reject(invalid({ field: 'file', message: 'is missing' })),
    (error: unknown) => opened.reject(malformed(error)),
  )
  try {
    return await opened.promise
  } catch (error) {
    input.destroy()
    throw error
  }
}
