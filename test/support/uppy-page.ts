// Runs in a browser: Uppy with its own plugin for S3, as its documentation shows it, and nothing put in the plugin's place.
import Uppy from '@uppy/core'
import AwsS3 from '@uppy/aws-s3'

export type Outcome = { failed: string[]; uploads: { id: unknown; location: unknown }[]; parts: number }

const upload = async (endpoint: string, token: string, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome> => {
  const uppy = new Uppy().use(AwsS3, {
    endpoint,
    headers: { Authorization: `Bearer ${token}` },
    shouldUseMultipart: true,
  })
  let parts = 0
  uppy.on('s3-multipart:part-uploaded', () => void parts++)
  uppy.addFile({ name: 'catalogue.pdf', type: 'application/pdf', data: new Blob([bytes]) })
  const { failed = [], successful = [] } = (await uppy.upload()) ?? {}
  return {
    failed: failed.map(({ error }) => String(error)),
    uploads: successful.map(({ response }) => ({
      id: response?.body?.['id'],
      location: response?.uploadURL,
    })),
    parts,
  }
}

/** Bytes that begin like a PDF; the same for the same size. */
const fileOf = (size: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size)
  for (let at = 0, state = 1; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 24
  }
  bytes.set(new TextEncoder().encode('%PDF-1.7\n'))
  return bytes
}

const digestOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')

export const uppyPage = {
  /** Uploads a file of that size; `begin` in place of the PDF's first bytes. */
  async run(endpoint: string, token: string, size: number, begin?: string) {
    const bytes = fileOf(size)
    if (begin !== undefined) bytes.set(new TextEncoder().encode(begin))
    return { ...(await upload(endpoint, token, bytes)), sha256: await digestOf(bytes) }
  },
}

Object.assign(globalThis, { uppyPage })
