import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import {
  announce,
  complete,
  pngOf,
  presign,
  putTo,
  quarantined,
  sha256Of,
  uploadIn,
} from '../support/edge-direct.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const reasons: Record<string, string> = {
  DIGEST_MISMATCH: 'other_bytes',
  PAYLOAD_TOO_LARGE: 'more_bytes',
  UNSUPPORTED_MEDIA_TYPE: 'other_type',
}

let user: TestUser
let token: string
beforeAll(async () => {
  user = await newUser()
  token = user.token
})

const bytes = pngOf(10_000)

const ready = async (content = bytes, change: object = {}) => {
  const presigned = await presign(token, content, change)
  expect((await putTo(presigned, content)).status).toBe(200)
  return presigned
}

const jobsOf = async (id: string) =>
  await sql<{ id: string; state: string }>(
    `select id, state from jobs where subject_id = $1 and type = 'upload.process'`,
    [id],
  )

const rowOf = async (id: string) => (await sql('select * from uploads where id = $1', [id]))[0]

describe('POST /uploads/presign', () => {
  it('answers with the one request that the store takes, and keeps its place in the quota', async () => {
    const reply = await api('POST', '/api/v1/uploads/presign', { token, body: announce(bytes) })
    expect(reply).toMatchObject({ status: 201, calls: 1 })
    const { id, url, headers, expiresAt } = await presign(token, bytes)
    expect(new URL(url).pathname).toBe(`/cdn-cgi/local/r2/s3/selvedge-files/quarantine/${id}`)
    expect(headers).toEqual({
      'Content-Type': 'image/png',
      'x-amz-checksum-sha256': Buffer.from(sha256Of(bytes), 'hex').toString('base64'),
    })
    const life = Date.parse(expiresAt) - Date.now()
    expect(life).toBeGreaterThan(890_000)
    expect(life).toBeLessThanOrEqual(900_000)
    expect(await rowOf(id)).toMatchObject({
      ...{ owner_id: user.id, way: 'presigned', state: 'receiving', reserved: '10000', size: null },
      sha256: sha256Of(bytes),
    })
  })

  it.each([
    ['no size', { size: undefined }, 422, 'VALIDATION_FAILED'],
    ['nothing', { size: 0 }, 422, 'VALIDATION_FAILED'],
    ['half a byte', { size: 1.5 }, 422, 'VALIDATION_FAILED'],
    ['a byte too many', { size: 52_428_801 }, 413, 'PAYLOAD_TOO_LARGE'],
    ['a type that is not taken', { type: 'image/svg+xml' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['no type', { type: '' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a checksum that is none', { sha256: 'abc' }, 422, 'VALIDATION_FAILED'],
    ['an empty name', { name: '' }, 422, 'VALIDATION_FAILED'],
    ['an unknown field', { path: '/etc' }, 422, 'VALIDATION_FAILED'],
  ])('refuses %s', async (_, change, status, code) => {
    const reply = await api('POST', '/api/v1/uploads/presign', { token, body: announce(bytes, change) })
    expect(reply).toMatchObject({ status, code })
  })

  it('takes exactly as many bytes as a file may have', async () => {
    const reply = await api('POST', '/api/v1/uploads/presign', {
      token,
      body: announce(bytes, { size: 52_428_800 }),
    })
    expect(reply.status).toBe(201)
  })

  it('refuses guests, and an Idempotency-Key', async () => {
    expect(await api('POST', '/api/v1/uploads/presign', { body: announce(bytes) })).toMatchObject({
      status: 401,
    })
    const headers = { 'Idempotency-Key': 'k' }
    expect(
      await api('POST', '/api/v1/uploads/presign', { token, headers, body: announce(bytes) }),
    ).toMatchObject({
      code: 'IDEMPOTENCY_NOT_SUPPORTED',
    })
  })

  it('refuses what the quota has no room for, and makes no row', async () => {
    const poor = await newUser()
    const { request } = appWith({ env: { UPLOAD_QUOTA_BYTES: '52428800' } })
    const ask = async (size: number) =>
      await request('/api/v1/uploads/presign', {
        method: 'POST',
        headers: { Authorization: `Bearer ${poor.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(announce(bytes, { size })),
      })
    expect((await ask(50_000_000)).status).toBe(201)
    const refused = await ask(3_000_000)
    expect(refused.status).toBe(409)
    expect(await refused.json()).toMatchObject({
      error: { code: 'QUOTA_EXCEEDED', details: { bytes: { used: 50_000_000, asked: 3_000_000 } } },
    })
    expect(await sql('select from uploads where owner_id = $1', [poor.id])).toHaveLength(1)
  })

  it('is off where no key of the bucket is set', async () => {
    const { request } = appWith({
      env: { S3_ENDPOINT: '', S3_ACCESS_KEY_ID: 'none', S3_SECRET_ACCESS_KEY: 'none' },
    })
    const reply = await request('/api/v1/uploads/presign', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(announce(bytes)),
    })
    expect(reply.status).toBe(501)
    expect(await reply.json()).toMatchObject({ error: { code: 'DIRECT_UPLOAD_OFF' } })
  })

  it('keeps of a name what a person can read, and nothing of a path', async () => {
    const { id } = await presign(token, bytes, { name: '../../etc/\u202epasswd\r\n.png' })
    expect(await rowOf(id)).toMatchObject({ name: 'passwd.png' })
  })
})

describe('the signed PUT', () => {
  it.each([
    ['another type', { 'Content-Type': 'image/gif' }],
    ['another checksum', { 'x-amz-checksum-sha256': Buffer.alloc(32).toString('base64') }],
  ])('takes no %s', async (_, change) => {
    const presigned = await presign(token, bytes)
    expect((await putTo(presigned, bytes, change)).status).toBe(403)
    expect(await quarantined(presigned.id)).toBeNull()
  })

  it('takes no other size, key, method or later time', async () => {
    const presigned = await presign(token, bytes)
    const { id, url } = presigned
    const other = new URL(url)
    other.searchParams.set('X-Amz-Expires', '604800')
    const elsewhere = url.replace(id, newId())
    expect((await putTo({ ...presigned, url: elsewhere }, bytes)).status).toBe(403)
    expect((await putTo({ ...presigned, url: other.href }, bytes)).status).toBe(403)
    const refused = await putTo(presigned, pngOf(10_001)).then(
      ({ status }) => status,
      () => 'cut',
    )
    expect([403, 'cut']).toContain(refused)
    expect(await quarantined(id)).toBeNull()
  })
})

describe('POST /uploads/:id/complete', () => {
  it('measures what lies in quarantine, records its ETag, and has it scanned', async () => {
    const { id } = await ready()
    const reply = await complete(token, id)
    expect(reply).toMatchObject({ status: 200, calls: 2 })
    expect(uploadIn(reply)).toMatchObject({
      ...{ id, ownerId: user.id, name: 'linen.png', type: 'image/png', size: 10_000, status: 'scanning' },
      ...{ sha256: sha256Of(bytes), scan: null, reason: null },
      history: [{ status: 'receiving' }, { status: 'scanning' }],
    })
    const object = await quarantined(id)
    expect(await rowOf(id)).toMatchObject({ etag: object?.etag, media_type: 'image/png', expires_at: null })
    expect(await jobsOf(id)).toHaveLength(1)
  })

  it('answers the same again, and makes no second job', async () => {
    const { id } = await ready()
    const first = await complete(token, id)
    const again = await complete(token, id)
    expect(again).toMatchObject({ status: 200, text: first.text, calls: 1 })
    expect(await jobsOf(id)).toHaveLength(1)
  })

  it('of many at once takes the file over once', async () => {
    const { id } = await ready()
    const replies = await Promise.all(Array.from({ length: 5 }, () => complete(token, id)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(await jobsOf(id)).toHaveLength(1)
    expect(uploadIn(await complete(token, id)).history).toHaveLength(2)
  })

  it('waits for the bytes, and takes them when they have come', async () => {
    const presigned = await presign(token, bytes)
    expect(await complete(token, presigned.id)).toMatchObject({ status: 409, code: 'UPLOAD_INCOMPLETE' })
    await putTo(presigned, bytes)
    expect(await complete(token, presigned.id)).toMatchObject({ status: 200 })
  })

  it('reads the ids of people as the database does', async () => {
    const { id } = await ready()
    expect(await complete(token, id.toUpperCase())).toMatchObject({ status: 200 })
  })

  // The local store does not look at the checksum that was signed: what a store let through is found here.
  it.each([
    ['other bytes', pngOf(10_000, 8), 'DIGEST_MISMATCH', 422],
    ['fewer bytes', pngOf(9_999), 'DIGEST_MISMATCH', 422],
    ['more than a file may have', pngOf(52_428_801), 'PAYLOAD_TOO_LARGE', 413],
  ])('refuses %s for good, and leaves no object', async (_, content, code, status) => {
    const { id } = await presign(token, bytes)
    await env.FILES.put(`quarantine/${id}`, content)
    expect(await complete(token, id)).toMatchObject({ status, code })
    expect(await quarantined(id)).toBeNull()
    expect(await rowOf(id)).toMatchObject({ state: 'rejected', reason: reasons[code] })
    expect(await complete(token, id)).toMatchObject({ status, code })
    expect(await jobsOf(id)).toHaveLength(0)
  })

  it('refuses bytes that are not what their type says', async () => {
    const gif = Buffer.from(`GIF89a${'\0'.repeat(100)}`)
    for (const content of [Uint8Array.from(gif), Uint8Array.from(Buffer.from('<svg onload=alert(1)>'))]) {
      const { id } = await ready(content)
      expect(await complete(token, id)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' })
      expect(await quarantined(id)).toBeNull()
    }
  })

  it('is for nobody but the owner', async () => {
    const { id } = await ready()
    const [other, admin] = [await newUser(), await newUser({ role: 'admin' })]
    for (const stranger of [other.token, admin.token]) {
      expect(await complete(stranger, id)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    }
    expect(await api('POST', `/api/v1/uploads/${id}/complete`)).toMatchObject({ status: 401 })
    expect(await rowOf(id)).toMatchObject({ state: 'receiving', etag: null })
  })

  it('knows no id that nobody has, and none of another way', async () => {
    expect(await complete(token, newId())).toMatchObject({ status: 404 })
    expect(await complete(token, 'not-an-id')).toMatchObject({ status: 404 })
    const { id } = await ready()
    await sql(`update uploads set way = 'direct' where id = $1`, [id])
    expect(await complete(token, id)).toMatchObject({ status: 404 })
  })

  it('comes too late when the time is over, whether or not the sweep has come', async () => {
    const { id } = await ready()
    await sql(`update uploads set expires_at = now() - interval '1 second' where id = $1`, [id])
    expect(await complete(token, id)).toMatchObject({ status: 404 })
    expect(await rowOf(id)).toMatchObject({ state: 'receiving' })
  })

  it('keeps the sweep away while it works', async () => {
    const { id } = await presign(token, bytes)
    await sql(`update uploads set expires_at = now() + interval '1 second' where id = $1`, [id])
    expect(await complete(token, id)).toMatchObject({ code: 'UPLOAD_INCOMPLETE' })
    const [row] = await sql<{ later: boolean }>(
      `select expires_at > now() + interval '10 minutes' as later from uploads where id = $1`,
      [id],
    )
    expect(row?.later).toBe(true)
  })
})
