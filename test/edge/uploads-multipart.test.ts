import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api, origin } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import {
  beginParts,
  completeParts,
  partsPath,
  pngOf,
  quarantined,
  sendParts,
  sha256Of,
  signPart,
  store,
  type Begun,
} from '../support/edge-direct.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const partSize = 5 * 1024 * 1024
const [head, tail] = [pngOf(partSize), new Uint8Array(1_000).fill(3)]
const whole = new Uint8Array([...head, ...tail])

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

const idOf = ({ key }: Begun): string => key.replace('quarantine/', '')

const rowOf = async (begun: Begun) => (await sql('select * from uploads where id = $1', [idOf(begun)]))[0]

const jobsOf = async (begun: Begun) =>
  await sql(`select from jobs where subject_id = $1 and type = 'upload.process'`, [idOf(begun)])

const abort = async (as: string, begun: Begun) => await api('DELETE', partsPath(begun), { token: as })

/** Every operation on a begun upload. */
const operations: [string, (as: string | undefined, begun: Begun) => ReturnType<typeof api>][] = [
  ['sign', (as, begun) => api('GET', partsPath(begun, '/1'), { token: as })],
  ['list', (as, begun) => api('GET', partsPath(begun), { token: as })],
  [
    'complete',
    (as, begun) =>
      api('POST', partsPath(begun, '/complete'), {
        token: as,
        body: { parts: [{ PartNumber: 1, ETag: '"x"' }] },
      }),
  ],
  ['abort', (as, begun) => api('DELETE', partsPath(begun), { token: as })],
]

describe('an upload in parts', () => {
  it('goes straight to the store and is taken over whole', async () => {
    const begun = await beginParts(token)
    expect(await rowOf(begun)).toMatchObject({
      ...{
        owner_id: user.id,
        way: 'multipart',
        state: 'receiving',
        reserved: '52428800',
        multipart_id: begun.uploadId,
      },
    })
    const parts = await sendParts(token, begun, [head, tail])
    const reply = await completeParts(token, begun, parts)
    const id = idOf(begun)
    expect(reply).toMatchObject({
      status: 200,
      calls: 2,
      body: { id, location: `${origin}/api/v1/uploads/${id}` },
    })
    expect(await rowOf(begun)).toMatchObject({
      ...{ state: 'scanning', size: String(whole.length), sha256: sha256Of(whole), media_type: 'image/png' },
      etag: (await quarantined(id))?.etag,
    })
    expect(await jobsOf(begun)).toHaveLength(1)
  })

  it('is completed once, however often that is asked, and in any order of its parts', async () => {
    const begun = await beginParts(token)
    const parts = await sendParts(token, begun, [head, tail])
    const replies = await Promise.all(
      [...Array(4)].map(() => completeParts(token, begun, parts.toReversed())),
    )
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await completeParts(token, begun, parts)).toMatchObject({
      status: 200,
      calls: 1,
      body: replies[0]?.body,
    })
    expect(await jobsOf(begun)).toHaveLength(1)
  })

  it('is taken over although the first who completed it died on the way', async () => {
    const begun = await beginParts(token)
    const parts = await sendParts(token, begun, [head, tail])
    await env.FILES.resumeMultipartUpload(begun.key, begun.uploadId).complete(
      parts.map(({ PartNumber, ETag }) => ({ partNumber: PartNumber, etag: ETag.replaceAll('"', '') })),
    )
    expect(await completeParts(token, begun, parts)).toMatchObject({ status: 200 })
    expect(await rowOf(begun)).toMatchObject({ state: 'scanning', sha256: sha256Of(whole) })
  })

  it('tells of its parts as an array', async () => {
    // The local store cannot list them: the client sends all again.
    const { request } = appWith({ env: { S3_ENDPOINT: 'http://127.0.0.1:9' } })
    const begun = await beginParts(token)
    const reply = await request(partsPath(begun), { headers: { Authorization: `Bearer ${token}` } })
    expect(reply.status).toBe(503)
    expect(await reply.json()).toMatchObject({ error: { code: 'UNAVAILABLE' }, message: expect.any(String) })
  })

  it.each([
    [
      'a part that never came',
      [{ PartNumber: 1, ETag: '"00000000000000000000000000000000"' }],
      409,
      'UPLOAD_INCOMPLETE',
    ],
    ['no parts', [], 422, 'VALIDATION_FAILED'],
    [
      'a part twice',
      [
        { PartNumber: 1, ETag: '"a"' },
        { PartNumber: 1, ETag: '"a"' },
      ],
      422,
      'VALIDATION_FAILED',
    ],
    ['a part without number', [{ PartNumber: 0, ETag: '"a"' }], 422, 'VALIDATION_FAILED'],
  ])('is not made of %s, and stays as it was', async (_, parts, status, code) => {
    const begun = await beginParts(token)
    const sent = await sendParts(token, begun, [head])
    expect(await completeParts(token, begun, parts)).toMatchObject({ status, code })
    expect(await completeParts(token, begun, sent)).toMatchObject({ status: 200 })
  })

  it('is not made of parts that are too small', async () => {
    const begun = await beginParts(token)
    const parts = await sendParts(token, begun, [pngOf(1_000), tail])
    expect(await completeParts(token, begun, parts)).toMatchObject({ status: 409, code: 'UPLOAD_INCOMPLETE' })
  })

  it.each([
    ['other bytes than its type says', { type: 'image/gif' }, [head], 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['nothing', {}, [new Uint8Array()], 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['more than a file may have', {}, [pngOf(52_428_800), tail], 413, 'PAYLOAD_TOO_LARGE'],
  ])(
    'that brings %s is refused for good, and leaves no object',
    async (_, change, contents, status, code) => {
      const begun = await beginParts(token, change)
      const parts = await sendParts(token, begun, contents)
      const refused = { status, code, body: { message: expect.any(String), requestId: expect.any(String) } }
      expect(await completeParts(token, begun, parts)).toMatchObject(refused)
      expect(await completeParts(token, begun, parts)).toMatchObject(refused)
      expect(await quarantined(idOf(begun))).toBeNull()
      expect(await rowOf(begun)).toMatchObject({ state: 'rejected', reason: reasons[code] })
      expect(await jobsOf(begun)).toHaveLength(0)
    },
  )

  it('has as many parts as the largest file needs', async () => {
    const begun = await beginParts(token)
    expect((await api('GET', partsPath(begun, '/10'), { token })).status).toBe(200)
    expect(await api('GET', partsPath(begun, '/11'), { token })).toMatchObject({ status: 422 })
    expect(await api('GET', partsPath(begun, '/0'), { token })).toMatchObject({ status: 404 })
    expect(await api('GET', partsPath(begun, '/one'), { token })).toMatchObject({ status: 404 })
  })

  it('takes for a signed part no other part, key or upload', async () => {
    const [begun, other] = [await beginParts(token), await beginParts(token)]
    const url = await signPart(token, begun, 1)
    const changed = (change: (query: URL) => void) => {
      const copy = new URL(url)
      change(copy)
      return copy.href
    }
    const urls = [
      changed(({ searchParams }) => searchParams.set('partNumber', '2')),
      changed(({ searchParams }) => searchParams.set('uploadId', other.uploadId)),
      changed(({ searchParams }) => searchParams.set('X-Amz-Expires', '90000')),
      url.replace(idOf(begun), idOf(other)),
    ]
    for (const forged of urls) expect((await store(forged, { method: 'PUT', body: tail })).status).toBe(403)
    const past = changed(({ searchParams }) => searchParams.set('X-Amz-Date', '20250101T000000Z'))
    expect((await store(past, { method: 'PUT', body: tail })).status).toBeGreaterThanOrEqual(400)
  })

  it('is aborted with all that came of it', async () => {
    const begun = await beginParts(token)
    const parts = await sendParts(token, begun, [head])
    expect(await abort(token, begun)).toMatchObject({ status: 200, body: {} })
    expect(await rowOf(begun)).toBeUndefined()
    expect(await sql('select from upload_remains where upload_id = $1', [idOf(begun)])).toHaveLength(0)
    const gone = env.FILES.resumeMultipartUpload(begun.key, begun.uploadId)
    await expect(gone.uploadPart(2, tail)).rejects.toThrow()
    for (const [, ask] of operations) expect(await ask(token, begun)).toMatchObject({ status: 404 })
    expect(await completeParts(token, begun, parts)).toMatchObject({ status: 404 })
    expect(await quarantined(idOf(begun))).toBeNull()
  })

  it('is not aborted any more once it is complete', async () => {
    const begun = await beginParts(token)
    await completeParts(token, begun, await sendParts(token, begun, [head]))
    expect(await abort(token, begun)).toMatchObject({ status: 404 })
    expect(await quarantined(idOf(begun))).not.toBeNull()
    expect(await rowOf(begun)).toMatchObject({ state: 'scanning' })
  })

  it('is either completed or aborted, and leaves in quarantine what its row says', async () => {
    for (let round = 0; round < 3; round++) {
      const begun = await beginParts(token)
      const parts = await sendParts(token, begun, [head])
      await Promise.all([completeParts(token, begun, parts), abort(token, begun)])
      const [row, object] = [await rowOf(begun), await quarantined(idOf(begun))]
      expect(row === undefined ? 'aborted' : row['state']).toBe(object === null ? 'aborted' : 'scanning')
    }
  })

  it.each(operations)('of somebody else cannot be met by %s', async (_, ask) => {
    const begun = await beginParts(token)
    const [other, admin] = [await newUser(), await newUser({ role: 'admin' })]
    expect(await ask(undefined, begun)).toMatchObject({ status: 401 })
    for (const stranger of [other.token, admin.token]) {
      expect(await ask(stranger, begun)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    }
    const mine = await beginParts(other.token)
    const mixed = [
      { key: begun.key, uploadId: mine.uploadId },
      { key: mine.key, uploadId: begun.uploadId },
      { key: `files/${idOf(mine)}`, uploadId: mine.uploadId },
      { key: `quarantine/${newId()}`, uploadId: mine.uploadId },
      { key: `quarantine/../${idOf(mine)}`, uploadId: mine.uploadId },
    ]
    for (const named of mixed) expect(await ask(other.token, named)).toMatchObject({ status: 404 })
    expect(await rowOf(begun)).toMatchObject({ state: 'receiving' })
    expect(await rowOf(mine)).toMatchObject({ state: 'receiving' })
  })

  it.each(operations)('whose time is over cannot be met by %s', async (name, ask) => {
    const begun = await beginParts(token)
    await sql(`update uploads set expires_at = now() - interval '1 second' where id = $1`, [idOf(begun)])
    expect(await ask(token, begun)).toMatchObject({ status: name === 'abort' ? 200 : 404 })
  })
})

describe('POST /uploads/s3/multipart', () => {
  const ask = async (body: object, as = token) =>
    await api('POST', '/api/v1/uploads/s3/multipart', { token: as, body })

  it.each([
    ['a type that is not taken', { filename: 'a.svg', type: 'image/svg+xml' }, 415],
    ['no type', { filename: 'a', type: '' }, 415],
    ['no name', { type: 'image/png' }, 422],
  ])('refuses %s', async (_, body, status) => {
    expect(await ask(body)).toMatchObject({ status })
  })

  it('sets aside the most that a file may have, and leaves nothing of what the quota refuses', async () => {
    const poor = await newUser()
    const { request } = appWith({ env: { UPLOAD_QUOTA_BYTES: '60000000' } })
    const begin = async () =>
      await request('/api/v1/uploads/s3/multipart', {
        method: 'POST',
        headers: { Authorization: `Bearer ${poor.token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ filename: 'a.png', type: 'image/png', metadata: {} }),
      })
    expect((await begin()).status).toBe(200)
    const refused = await begin()
    expect(refused.status).toBe(409)
    expect(await refused.json()).toMatchObject({
      ...{ error: { code: 'QUOTA_EXCEEDED' }, message: 'The account has no room for this file' },
    })
    expect(await sql('select from uploads where owner_id = $1', [poor.id])).toHaveLength(1)
  })

  it('is off where no key of the bucket is set', async () => {
    const { request } = appWith({
      env: { S3_ENDPOINT: '', S3_ACCESS_KEY_ID: 'none', S3_SECRET_ACCESS_KEY: 'none' },
    })
    const reply = await request('/api/v1/uploads/s3/multipart', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ filename: 'a.png', type: 'image/png' }),
    })
    expect(reply.status).toBe(501)
  })
})
