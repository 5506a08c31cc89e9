import { createHash } from 'node:crypto'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { Upload } from '../../src/uploads/schema.ts'
import { api } from './edge-api.ts'
import { sql } from './edge-sql.ts'

/** How a file of each type begins. */
const beginnings = {
  'image/jpeg': '\xFF\xD8\xFF\xE0',
  'image/png': '\x89PNG\r\n\x1A\n',
  'image/gif': 'GIF89a',
  'image/webp': 'RIFF\x10\x00\x00\x00WEBPVP8 ',
  'application/pdf': '%PDF-1.7\n',
} as const

export type Type = keyof typeof beginnings

export const types = Object.keys(beginnings) as Type[]

/** Bytes that look like a file of the type and are of no use beyond it; each time the same. */
export const fileOf = (type: Type, size: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + (at >> 8) * 7) & 0xff
  bytes.set(Buffer.from(beginnings[type].slice(0, size), 'latin1'))
  return bytes
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Content-Digest of RFC 9530. */
export const digestOf = (bytes: Uint8Array): string =>
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`

/** A body without Content-Length, in pieces. */
export const inChunks = (bytes: Uint8Array, size = 64 * 1024): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + size))
      at += size
    },
  })
}

type Sent = { type?: string; name?: string; headers?: Record<string, string> }

export const sendRaw = async (
  token: string | undefined,
  raw: BodyInit,
  { type = 'image/png', name = 'a.png', headers = {} }: Sent = {},
) =>
  await api('POST', '/api/v1/uploads', {
    token,
    raw,
    headers: { 'Content-Type': type, 'X-File-Name': encodeURIComponent(name), ...headers },
  })

export const formOf = (
  bytes: Uint8Array<ArrayBuffer>,
  { type = 'image/png', name = 'a.png', field = 'file' } = {},
): FormData => {
  const form = new FormData()
  form.append(field, new File([bytes], name, { type }))
  return form
}

export const sendForm = async (token: string, form: FormData, headers: Record<string, string> = {}) =>
  await api('POST', '/api/v1/uploads', { token, raw: form, headers })

export const uploadOf = (reply: { status: number; data?: unknown; text: string }): Upload => {
  expect(reply.status, reply.text).toBe(201)
  return Upload.parse(reply.data)
}

/** Keys of all that uploads have in the store. */
export const objectKeys = async (): Promise<string[]> => {
  const { objects } = await env.FILES.list()
  return objects.map(({ key }) => key).filter((key) => /^(?:quarantine|files)\//.test(key))
}

export const rowsOf = async (ownerId: string) =>
  await sql<{ id: string; state: string }>('select * from uploads where owner_id = $1 order by id', [ownerId])

/** All that an upload of this user may leave behind. */
export const leftBy = async (ownerId: string) => ({
  rows: await rowsOf(ownerId),
  remains: await sql('select * from upload_remains'),
  objects: await objectKeys(),
})

export const nothing = { rows: [], remains: [], objects: [] }
