import { env, exports } from 'cloudflare:workers'
import { newId } from '../../src/shared/ids.ts'
import { variantKey } from '../../src/uploads/keys.ts'
import type { MediaType } from '../../src/uploads/media-type.ts'
import type { UploadState } from '../../src/uploads/state.ts'
import { variantsOf, type StoredVariants, type VariantName } from '../../src/uploads/variant.ts'
import { origin } from './edge-api.ts'
import { insert, sql } from './edge-sql.ts'

type NewFile = {
  ownerId: string
  name?: string
  type?: MediaType
  state?: UploadState
  /** Bytes of each variant. */
  size?: number
}

/** When every file of these tests became what it is. */
export const madeAt = '2026-11-20T12:00:00.000Z'

const sizes: Partial<Record<VariantName, object>> = {
  thumb: { width: 150, height: 150 },
  medium: { width: 800, height: 533 },
  full: { width: 2_400, height: 1_600 },
}

/** Bytes that differ at every place and from one variant to the next. */
const bytesOf = (variant: string, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, n) => (n * 31 + variant.length * 7 + (n >> 8)) % 256)

const store = async (id: string, type: MediaType, size: number): Promise<StoredVariants> => {
  const stored: StoredVariants = {}
  const run = newId()
  for (const variant of variantsOf(type)) {
    const key = variantKey(id, variant, run)
    const etag = (await env.FILES.put(key, bytesOf(variant, size)))?.etag ?? ''
    const served = variant === 'original' ? 'application/pdf' : 'image/webp'
    stored[variant] = { key, type: served, size, etag, ...sizes[variant] }
  }
  return stored
}

/** What each state has beside what all have. */
const columnsOf = async (id: string, state: UploadState, type: MediaType, size: number) => {
  const whole = {
    ...{ media_type: type, size, sha256: 'ab'.repeat(32), etag: 'quarantined', job_id: newId() },
  }
  switch (state) {
    case 'receiving':
      return { expires_at: '2099-01-01T00:00:00.000Z' }
    case 'scanning':
      return whole
    case 'processing':
      return { ...whole, scan: 'clean' }
    case 'ready':
      return { ...whole, scan: 'clean', variants: await store(id, type, size) }
    case 'infected':
      return { signature: 'Eicar-Test-Signature' }
    case 'rejected':
    case 'failed':
      return { reason: 'too_many_pixels' }
  }
}

/** An upload and what it has in the store, laid out as the pipeline leaves them. */
export const newFile = async ({ ownerId, name = 'photo.jpg', type = 'image/jpeg', ...rest }: NewFile) => {
  const { state = 'ready', size = 1_000 } = rest
  const id = newId()
  const own = await columnsOf(id, state, type, size)
  await insert('uploads', [
    {
      ...{ id, owner_id: ownerId, name, declared_type: type, reserved: size, way: 'direct', state },
      ...{ created_at: madeAt, updated_at: madeAt, ...own },
    },
  ])
  return id
}

export const attach = async (productId: string, ...uploadIds: string[]): Promise<void> => {
  await insert(
    'product_images',
    uploadIds.map((id, position) => ({ product_id: productId, position, upload_id: id })),
  )
}

export const imagesOf = async (productId: string): Promise<string[]> => {
  const rows = await sql<{ id: string }>(
    'select upload_id as id from product_images where product_id = $1 order by position',
    [productId],
  )
  return rows.map(({ id }) => id)
}

type Ask = { token?: string | undefined; headers?: Record<string, string>; method?: string }

/** A file as a client gets it, whose bytes are no JSON. */
export const fetchFile = async (path: string, { token, headers = {}, method = 'GET' }: Ask = {}) => {
  const response = await exports.default.fetch(`${origin}${path}`, {
    method,
    headers: { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...headers },
  })
  return {
    ...{ status: response.status, headers: response.headers },
    bytes: new Uint8Array(await response.arrayBuffer()),
  }
}

export const expectedBytes = bytesOf
