import { AppError, invalid } from '../../shared/errors.ts'
import { bytesOf } from '../body.ts'
import { digested, digestOf } from '../content-digest.ts'
import { displayNameOf, nameOfHeader } from '../file-name.ts'
import { fileOfForm, formOverhead } from '../form.ts'
import { declaredTypeOf, type MediaType } from '../media-type.ts'

/** A request that brings a file: its body as it comes, and its headers as they are. */
export type Incoming = {
  body: ReadableStream | null
  contentType: string | undefined
  /** Content-Length; undefined for a body that comes in chunks. */
  length: number | undefined
  fileName: string | undefined
  contentDigest: string | undefined
  /** X-Upload-Id. */
  clientId: string | undefined
}

/** A file whose bytes have not been read yet, but for what tells its name and type. */
export type Opened = {
  name: string
  type: MediaType | undefined
  /** Exactly, when it is known. */
  length: number | undefined
  /** Bytes to set aside. */
  reserved: number
  bytes: AsyncGenerator<Uint8Array>
  digest: string | undefined
}

export const tooLarge = (maxBytes: number) =>
  new AppError('PAYLOAD_TOO_LARGE', `A file may have ${maxBytes} bytes at most`)

export const unsupported = () =>
  new AppError(
    'UNSUPPORTED_MEDIA_TYPE',
    'Send a JPEG, PNG, WebP or GIF image or a PDF, declared as what it is',
  )

const isForm = (contentType: string | undefined): contentType is string =>
  /^multipart\/form-data\s*(?:;|$)/i.test(contentType ?? '')

/** At most so many bytes of a form are read, whatever they are. */
async function* upTo(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const chunk of source) {
    length += chunk.length
    if (length > maxBytes + formOverhead) throw tooLarge(maxBytes)
    yield chunk
  }
}

/** What comes, a form or the file itself, as a file whose bytes are still to be read. */
export const createOpener = (maxBytes: number) => {
  const openForm = async ({ body, contentType, length, contentDigest }: Incoming): Promise<Opened> => {
    if (body === null) throw invalid({ field: 'file', message: 'is missing' })
    if (length !== undefined && length > maxBytes + formOverhead) throw tooLarge(maxBytes)
    // Of the whole content, as RFC 9530 has it: a form's includes its boundaries.
    const digest = digestOf(contentDigest)
    const raw = upTo(bytesOf(body, { reuse: false }), maxBytes)
    const source = digest === undefined ? raw : digested(raw, digest)
    const { name, type, bytes } = await fileOfForm(source, contentType ?? '', maxBytes)
    return {
      name: displayNameOf(name),
      type: declaredTypeOf(type),
      length: undefined,
      reserved: Math.min(maxBytes, length ?? maxBytes),
      bytes,
      digest: undefined,
    }
  }

  const openRaw = ({ body, contentType, length, fileName, contentDigest }: Incoming): Opened => {
    const type = declaredTypeOf(contentType)
    if (type === undefined) throw unsupported()
    const name = nameOfHeader(fileName)
    const digest = digestOf(contentDigest)
    if (body === null || length === 0) throw invalid({ field: 'file', message: 'must not be empty' })
    if (length !== undefined && length > maxBytes) throw tooLarge(maxBytes)
    const bytes = bytesOf(body, { reuse: length !== undefined })
    return { name, type, length, reserved: length ?? maxBytes, bytes, digest }
  }

  return async (incoming: Incoming): Promise<Opened> =>
    isForm(incoming.contentType) ? await openForm(incoming) : openRaw(incoming)
}
