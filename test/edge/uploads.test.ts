import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Upload } from '../../src/uploads/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { list } from '../support/edge-lists.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'
import { digestOf, fileOf, formOf, inChunks, leftBy, nothing, objectKeys, rowsOf, sendForm, sendRaw, sha256Of, types, uploadOf } from '../support/edge-uploads.ts' // prettier-ignore

let user: TestUser
let other: TestUser
let admin: TestUser

beforeAll(async () => {
  user = await newUser()
  other = await newUser()
  admin = await newUser({ role: 'admin' })
})

beforeEach(async () => {
  await sql('truncate product_images, conversation_files, uploads, upload_events, upload_remains')
  const keys = await objectKeys()
  if (keys.length > 0) await env.FILES.delete(keys)
})

const mebibyte = 1024 * 1024
const small = fileOf('image/png', 10_000)

const stored = async (id: string): Promise<Uint8Array> => {
  const object = await env.FILES.get(`quarantine/${id}`)
  if (object === null) throw new Error('There is no such object')
  return new Uint8Array(await object.arrayBuffer())
}

/** Sends files to the app with other variables. */
const limits = (changed: Partial<Env>, { token } = user) => {
  const { request } = appWith({ env: changed })
  return async (raw: BodyInit, headers: Record<string, string> = {}) => {
    const response = await request('/api/v1/uploads', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'image/png',
        'X-File-Name': 'a.png',
        // What a server adds that knows the length.
        ...(raw instanceof Uint8Array ? { 'Content-Length': String(raw.length) } : {}),
        ...headers,
      },
      body: raw,
    })
    const body: { data?: unknown; error?: { code: string; details?: unknown } } = await response.json()
    return { status: response.status, retryAfter: response.headers.get('Retry-After'), ...body }
  }
}

describe('sending a file', () => {
  it.each(types)('takes %s as the body itself, and has it scanned', async (type) => {
    const bytes = fileOf(type, 10_000)
    const reply = await sendRaw(user.token, bytes, { type, name: 'Grüße aus 東京.x' })
    const upload = uploadOf(reply)
    expect(reply.headers.get('Location')).toBe(`/api/v1/uploads/${upload.id}`)
    expect(upload).toMatchObject({
      ...{ ownerId: user.id, name: 'Grüße aus 東京.x', type, size: 10_000, sha256: sha256Of(bytes) },
      ...{ status: 'scanning', scan: null, reason: null },
    })
    expect(upload.history.map(({ status }) => status)).toEqual(['receiving', 'scanning'])
    const names = type === 'application/pdf' ? ['original'] : ['thumb', 'medium', 'full']
    expect(upload.variants).toEqual(
      names.map((name) => ({ name, url: `/api/v1/files/${upload.id}/${name}` })),
    )
    expect(sha256Of(await stored(upload.id))).toBe(sha256Of(bytes))
    const [row] = await sql('select etag, job_id from uploads where id = $1', [upload.id])
    expect(row?.['etag']).toBe((await env.FILES.head(`quarantine/${upload.id}`))?.etag)
    const jobs = await sql('select id, type, payload from jobs where subject_id = $1', [upload.id])
    expect(jobs).toEqual([{ id: row?.['job_id'], type: 'upload.process', payload: { uploadId: upload.id } }])
  })

  it('takes it as the field "file" of a form, beside other fields', async () => {
    const form = formOf(small, { name: '../../etc/Bild 1.png' })
    form.append('note', 'later')
    const upload = uploadOf(await sendForm(user.token, form))
    expect(upload).toMatchObject({ name: 'Bild 1.png', size: 10_000, sha256: sha256Of(small) })
    expect(sha256Of(await stored(upload.id))).toBe(sha256Of(small))
  })

  it('refuses a form with a second file, and keeps neither', async () => {
    const form = formOf(small, { name: 'a.png' })
    form.append('file', new Blob([small], { type: 'image/png' }), 'b.png')
    const { status, code } = await sendForm(other.token, form)
    expect([status, code]).toEqual([422, 'VALIDATION_FAILED'])
    expect(await leftBy(other.id)).toEqual(nothing)
  })

  it.each([1, 5 * mebibyte - 1, 5 * mebibyte, 5 * mebibyte + 1, 10 * mebibyte, 12 * mebibyte + 77])(
    'stores what has no known length, here of about %i bytes, as it was sent',
    async (size) => {
      const bytes = fileOf('image/png', Math.max(size, 8))
      const upload = uploadOf(await sendRaw(user.token, inChunks(bytes)))
      expect(upload).toMatchObject({ size: bytes.length, sha256: sha256Of(bytes) })
      expect(sha256Of(await stored(upload.id))).toBe(sha256Of(bytes))
      const [row] = await sql('select multipart_id from uploads where id = $1', [upload.id])
      expect(row?.['multipart_id'] === null).toBe(bytes.length < 5 * mebibyte)
    },
  )

  it('stores a large form as it was sent', async () => {
    const bytes = fileOf('image/jpeg', 11 * mebibyte)
    const upload = uploadOf(await sendForm(user.token, formOf(bytes, { type: 'image/jpeg' })))
    expect(upload).toMatchObject({ size: bytes.length, sha256: sha256Of(bytes) })
    expect(sha256Of(await stored(upload.id))).toBe(sha256Of(bytes))
  })

  it('asks the database twice', async () => {
    expect((await sendRaw(user.token, small)).calls).toBe(2)
  })
})

describe('a file that is refused', () => {
  it.each([
    ['text', 'text/plain', new TextEncoder().encode('hello')],
    ['SVG', 'image/svg+xml', new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['SVG that is declared as PNG', 'image/png', new TextEncoder().encode('<svg/>')],
    ['HTML before a PDF', 'application/pdf', new TextEncoder().encode('<html>%PDF-1.7')],
    ['a JPEG that is declared as PNG', 'image/png', fileOf('image/jpeg', 100)],
    ['a PNG that is declared as PDF', 'application/pdf', fileOf('image/png', 100)],
    ['one byte', 'image/png', fileOf('image/png', 1)],
    ['a PNG without a type', '', fileOf('image/png', 100)],
    ['a PNG as JSON', 'application/json', fileOf('image/png', 100)],
  ] as [string, string, Uint8Array<ArrayBuffer>][])('is 415: %s', async (_, type, bytes) => {
    expect(await sendRaw(user.token, bytes, { type })).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    })
    expect(await sendRaw(user.token, inChunks(bytes), { type })).toMatchObject({ status: 415 })
    if (type !== '') {
      expect(await sendForm(user.token, formOf(bytes, { type }))).toMatchObject({ status: 415 })
    }
    expect(await leftBy(user.id)).toEqual(nothing)
  })

  it('is 422 when it is empty', async () => {
    const empty = new Uint8Array(0)
    expect(await sendRaw(user.token, empty)).toMatchObject({ status: 422 })
    expect(await sendRaw(user.token, inChunks(empty))).toMatchObject({ status: 422 })
    expect(await sendForm(user.token, formOf(empty))).toMatchObject({ status: 422 })
    expect(await leftBy(user.id)).toEqual(nothing)
  })

  it.each([
    ['no name', { 'X-File-Name': '' }, 'X-File-Name'],
    ['a name that is not UTF-8', { 'X-File-Name': '%FF%FE' }, 'X-File-Name'],
    ['a digest of another kind', { 'Content-Digest': 'md5=:CY9rzUYh03PK3k6DJie09g==:' }, 'Content-Digest'],
    ['an id that is none', { 'X-Upload-Id': 'seven' }, 'x-upload-id'],
  ])('is 422 with %s', async (_, headers, field) => {
    const reply = await sendRaw(user.token, small, { headers })
    expect(reply).toMatchObject({ status: 422, details: [{ field }] })
    expect(await leftBy(user.id)).toEqual(nothing)
  })

  it('is 422 in another field of a form, or in none', async () => {
    const wrong = await sendForm(user.token, formOf(small, { field: 'picture' }))
    expect(wrong).toMatchObject({ status: 422, details: [{ field: 'picture' }] })
    const none = new FormData()
    none.append('note', 'no file')
    expect(await sendForm(user.token, none)).toMatchObject({ status: 422, details: [{ field: 'file' }] })
  })

  it.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['that breaks off in its file', 'multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG'], // prettier-ignore
    ['that breaks off in a header', 'multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-da'],
  ])('is 400 in a form %s', async (_, type, text) => {
    const reply = await sendRaw(user.token, Buffer.from(text, 'latin1'), { type })
    expect(reply).toMatchObject({ status: 400, code: 'MALFORMED_FORM' })
    expect(await leftBy(user.id)).toEqual(nothing)
  })

  it('is 422 when its bytes are not those of Content-Digest, and leaves no object', async () => {
    const headers = { 'Content-Digest': digestOf(fileOf('image/png', 9_999)) }
    for (const body of [small, inChunks(small), inChunks(fileOf('image/png', 6 * mebibyte))]) {
      const reply = await sendRaw(user.token, body, { headers })
      expect(reply).toMatchObject({ status: 422, code: 'DIGEST_MISMATCH' })
    }
    const form = await sendForm(user.token, formOf(small), headers)
    expect(form).toMatchObject({ status: 422, code: 'DIGEST_MISMATCH' })
    expect(await leftBy(user.id)).toEqual(nothing)
  })

  it('is taken when they are', async () => {
    const headers = { 'Content-Digest': `sha-512=:YQ==:, ${digestOf(small)}` }
    uploadOf(await sendRaw(user.token, small, { headers }))
    uploadOf(await sendRaw(user.token, inChunks(small), { headers }))
  })
})

describe('a file that is too large', () => {
  const send: ReturnType<typeof limits> = async (...sent) =>
    await limits({ UPLOAD_MAX_BYTES: '1000000' })(...sent)
  const limit = fileOf('image/png', 1_000_000)
  const over = fileOf('image/png', 1_000_001)

  it('is taken up to the limit, whatever way it comes', async () => {
    expect(await send(limit)).toMatchObject({ status: 201, data: { size: 1_000_000 } })
    expect(await send(inChunks(limit))).toMatchObject({ status: 201, data: { size: 1_000_000 } })
  })

  it('is 413 by one byte, and leaves nothing', async () => {
    expect(await send(over)).toMatchObject({ status: 413, error: { code: 'PAYLOAD_TOO_LARGE' } })
    expect(await send(inChunks(over))).toMatchObject({ status: 413 })
    expect(await leftBy(user.id)).toEqual(nothing)
  })

  it('is 413 before 1 MB beyond the limit has been read', async () => {
    let read = 0
    const endless = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        const chunk = read === 0 ? fileOf('image/png', 65_536) : new Uint8Array(65_536)
        read += chunk.length
        controller.enqueue(chunk)
      },
    })
    expect(await send(endless)).toMatchObject({ status: 413 })
    expect(read).toBeLessThan(2_000_000)
    expect(await leftBy(user.id)).toEqual(nothing)
  })
})

describe('the id of the client', () => {
  it('names the same upload when it is sent again, and makes no second object', async () => {
    const headers = { 'X-Upload-Id': newId() }
    const first = await sendRaw(user.token, small, { headers })
    const again = await sendRaw(user.token, small, { headers })
    expect(uploadOf(again)).toEqual(uploadOf(first))
    expect([first, again].map((reply) => reply.headers.get('Idempotency-Replayed'))).toEqual([null, 'true'])
    expect(await objectKeys()).toEqual([`quarantine/${uploadOf(first).id}`])
    expect(await rowsOf(user.id)).toHaveLength(1)
  })

  it('names one upload of each user', async () => {
    const headers = { 'X-Upload-Id': newId() }
    const mine = uploadOf(await sendRaw(user.token, small, { headers }))
    const theirs = uploadOf(await sendRaw(other.token, small, { headers }))
    expect(mine.id).not.toBe(theirs.id)
  })

  it('makes one upload of many requests at the same moment', async () => {
    const headers = { 'X-Upload-Id': newId() }
    const replies = await Promise.all(
      Array.from({ length: 5 }, (_, n) => sendRaw(user.token, n % 2 ? small : inChunks(small), { headers })),
    )
    expect(new Set(replies.map((reply) => uploadOf(reply).id)).size).toBe(1)
    expect(await objectKeys()).toHaveLength(1)
    expect(replies.filter(({ headers: sent }) => sent.has('Idempotency-Replayed'))).toHaveLength(4)
  })

  it('begins anew when whoever sent it first is gone', async () => {
    const clientId = newId()
    const [id, live] = [newId(), newId()]
    const row = `insert into uploads (id, owner_id, client_id, name, declared_type, reserved, way, expires_at)
      values ($1, $2, $3, 'a.png', 'image/png', 1, 'direct', now() + $4::interval)`
    await sql(row, [id, user.id, clientId, '-1 second'])
    const upload = uploadOf(await sendRaw(user.token, small, { headers: { 'X-Upload-Id': clientId } }))
    expect(upload.id).not.toBe(id)
    expect(await sql('select upload_id from upload_remains')).toEqual([{ upload_id: id }])

    const liveClient = newId()
    await sql(row, [live, user.id, liveClient, '1 minute'])
    const reply = await limits({})(small, { 'X-Upload-Id': liveClient })
    expect(reply).toMatchObject({ status: 409, error: { code: 'UPLOAD_IN_FLIGHT' }, retryAfter: '1' })
  })
})

describe('the quota of an account', () => {
  it('is 409 when there are too many files, until one is deleted', async () => {
    const send = limits({ UPLOAD_QUOTA_FILES: '2' })
    const first = Upload.parse((await send(small)).data)
    expect(await send(small)).toMatchObject({ status: 201 })
    expect(await send(small)).toMatchObject({
      status: 409,
      error: { code: 'QUOTA_EXCEEDED', details: { files: { used: 2, limit: 2 } } },
    })
    expect((await api('DELETE', `/api/v1/uploads/${first.id}`, { token: user.token })).status).toBe(204)
    expect(await send(small)).toMatchObject({ status: 201 })
  })

  it('is 409 when there are too many bytes; what is under way counts, and what is infected does not', async () => {
    const send = limits({ UPLOAD_QUOTA_BYTES: '25000', UPLOAD_MAX_BYTES: '20000' })
    expect(await send(small)).toMatchObject({ status: 201 })
    // Of an unknown length the most is set aside.
    expect(await send(inChunks(small))).toMatchObject({
      status: 409,
      error: { details: { bytes: { used: 10_000, limit: 25_000, asked: 20_000 } } },
    })
    expect(await send(small)).toMatchObject({ status: 201 })
    expect(await send(small)).toMatchObject({ status: 409 })
    await sql(`update uploads set state = 'infected', signature = 'Eicar' where owner_id = $1`, [user.id])
    expect(await send(small)).toMatchObject({ status: 201 })
  })

  it('counts nothing of another account, and nothing for what the account has already', async () => {
    const send = limits({ UPLOAD_QUOTA_FILES: '1' })
    await sendRaw(other.token, small)
    const headers = { 'X-Upload-Id': newId() }
    const first = await send(small, headers)
    expect(first).toMatchObject({ status: 201 })
    expect(await send(small, headers)).toEqual(first)
  })
})

describe('uploads', () => {
  it('are refused without a token', async () => {
    expect(await sendRaw(undefined, small)).toMatchObject({ status: 401 })
    expect((await api('GET', '/api/v1/uploads')).status).toBe(401)
    expect(await objectKeys()).toEqual([])
  })

  it('are seen by their owner and by administrators, and exist for nobody else', async () => {
    const { id } = uploadOf(await sendRaw(user.token, small))
    const path = `/api/v1/uploads/${id}`
    for (const { token } of [user, admin]) {
      expect(Upload.parse((await api('GET', path, { token })).data).id).toBe(id)
    }
    for (const method of ['GET', 'DELETE']) {
      expect(await api(method, path, { token: other.token })).toMatchObject({
        status: 404,
        code: 'NOT_FOUND',
      })
    }
    expect(await objectKeys()).toEqual([`quarantine/${id}`])
  })

  it('are listed, the newest first, one’s own alone', async () => {
    const ids = []
    for (let n = 0; n < 3; n++) ids.push(uploadOf(await sendRaw(user.token, small)).id)
    await sendRaw(other.token, small)
    const page = await list('/api/v1/uploads?limit=2', user.token)
    expect(page.rows.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 2))
    expect(page.pagination).toMatchObject({ total: 3 })
    const foreign = await list(`/api/v1/uploads?ownerId=${other.id}`, user.token)
    expect(foreign.rows).toEqual([])
    const all = await list('/api/v1/uploads?status=scanning', admin.token)
    expect(all.rows).toHaveLength(4)
  })

  it('are deleted with their objects, once', async () => {
    const { id } = uploadOf(await sendRaw(user.token, small))
    await env.FILES.put(`files/${id}/thumb/${newId()}`, 'x')
    await env.FILES.put('reports/of-another/kind', 'x')
    const path = `/api/v1/uploads/${id}`
    expect((await api('DELETE', path, { token: user.token })).status).toBe(204)
    expect(await leftBy(user.id)).toEqual(nothing)
    expect(await env.FILES.head('reports/of-another/kind')).not.toBeNull()
    expect((await api('DELETE', path, { token: user.token })).status).toBe(404)
    expect((await api('GET', path, { token: user.token })).status).toBe(404)
  })
})

describe('around an upload', () => {
  it('keeps the limit of 1 MB for every other body', async () => {
    const raw = JSON.stringify({ email: 'x'.repeat(1_100_000), password: 'x' })
    const headers = { 'Content-Type': 'application/json' }
    expect((await api('POST', '/api/auth/login', { raw, headers })).status).toBe(413)
    uploadOf(await sendRaw(user.token, fileOf('image/png', 1_100_000)))
  })

  it('logs nothing of a file', async () => {
    const { request, lines } = appWith({})
    await request('/api/v1/uploads', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${user.token}`,
        'Content-Type': 'image/png',
        'X-File-Name': 'a.png',
      },
      body: Buffer.concat([fileOf('image/png', 20), Buffer.from('the secret of a picture')]),
    })
    expect(lines.join('\n')).toContain('/api/v1/uploads')
    expect(lines.join('\n')).not.toContain('the secret of a picture')
  })

  it('counts ten an hour of an account, wherever it sends them from', async () => {
    const fresh = await newUser()
    const send = limits({ LIMITS: '{}' }, fresh)
    const from = (n: number) => ({ 'CF-Connecting-IP': `198.51.100.${n}` })
    for (let n = 0; n < 10; n++) expect(await send(small, from(n))).toMatchObject({ status: 201 })
    expect(await send(small, from(11))).toMatchObject({ status: 429, error: { code: 'RATE_LIMITED' } })
    expect(await rowsOf(fresh.id)).toHaveLength(10)
  })
})
