import { env } from 'cloudflare:workers'
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { z } from 'zod'
import { Presigned } from '../../src/uploads/schema.direct.ts'
import { Upload } from '../../src/uploads/schema.ts'
import { api } from './edge-api.ts'

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes that begin like a PNG: what the API judges a type by. */
export const pngOf = (size: number, fill = 7): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size).fill(fill)
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return bytes
}

/** A request to the bucket's S3 endpoint, as a client sends it. */
export const store = async (
  url: string,
  init: RequestInit,
): Promise<{ status: number; etag: string | null; text: string }> => {
  const response = await (env as unknown as { STORE: Fetcher }).STORE.fetch(url, init)
  return { status: response.status, etag: response.headers.get('ETag'), text: await response.text() }
}

export const announce = (bytes: Uint8Array, change: object = {}) => ({
  ...{ name: 'linen.png', type: 'image/png', size: bytes.length, sha256: sha256Of(bytes), ...change },
})

export const presign = async (token: string, bytes: Uint8Array, change: object = {}): Promise<Presigned> => {
  const reply = await api('POST', '/api/v1/uploads/presign', { token, body: announce(bytes, change) })
  expect(reply.status).toBe(201)
  return Presigned.parse(reply.data)
}

export const putTo = async (
  { url, method, headers }: Presigned,
  bytes: Uint8Array<ArrayBuffer>,
  change: Record<string, string> = {},
) => await store(url, { method, headers: { ...headers, ...change }, body: bytes })

export const complete = async (token: string, id: string) =>
  await api('POST', `/api/v1/uploads/${id}/complete`, { token })

export const uploadIn = ({ data }: { data?: unknown }): Upload => Upload.parse(data)

export const quarantined = async (id: string) => await env.FILES.head(`quarantine/${id}`)

const Begun = z.object({ key: z.string(), uploadId: z.string() })
export type Begun = z.infer<typeof Begun>

export const beginParts = async (token: string, change: object = {}): Promise<Begun> => {
  const body = {
    filename: 'linen.png',
    type: 'image/png',
    metadata: { name: 'linen.png', type: 'image/png' },
    ...change,
  }
  const reply = await api('POST', '/api/v1/uploads/s3/multipart', { token, body })
  expect(reply.status).toBe(200)
  return Begun.parse(reply.body)
}

/** The path of an operation on a begun upload. */
export const partsPath = ({ key, uploadId }: Begun, more = ''): string =>
  `/api/v1/uploads/s3/multipart/${encodeURIComponent(uploadId)}${more}?key=${encodeURIComponent(key)}`

const Signed = z.object({ url: z.string(), expires: z.number() })

export const signPart = async (token: string, begun: Begun, n: number): Promise<string> => {
  const reply = await api('GET', partsPath(begun, `/${n}`), { token })
  expect(reply.status).toBe(200)
  return Signed.parse(reply.body).url
}

export type CompletedPart = { PartNumber: number; ETag: string }

/** Sends parts as a browser does. */
export const sendParts = async (
  token: string,
  begun: Begun,
  parts: Uint8Array<ArrayBuffer>[],
): Promise<CompletedPart[]> => {
  const sent: CompletedPart[] = []
  for (const [n, bytes] of parts.entries()) {
    const { status, etag } = await store(await signPart(token, begun, n + 1), { method: 'PUT', body: bytes })
    expect(status).toBe(200)
    sent.push({ PartNumber: n + 1, ETag: etag ?? '' })
  }
  return sent
}

export const completeParts = async (token: string, begun: Begun, parts: CompletedPart[]) =>
  await api('POST', partsPath(begun, '/complete'), { token, body: { parts } })
