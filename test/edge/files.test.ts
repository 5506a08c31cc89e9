import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { nastyNames } from '../support/nasty-names.ts'
import { api } from '../support/edge-api.ts'
import { attach, expectedBytes, fetchFile, madeAt, newFile } from '../support/edge-files.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const files = '/api/v1/files'
const size = 1_000
const etagOf = (headers: Headers): string => headers.get('ETag') ?? ''

let owner: TestUser
let privately: string
let shown: string
let pdf: string

beforeAll(async () => {
  owner = await newUser({ role: 'admin' })
  privately = await newFile({ ownerId: owner.id })
  shown = await newFile({ ownerId: owner.id, name: 'Tischdecke Müller.JPG' })
  pdf = await newFile({ ownerId: owner.id, type: 'application/pdf', name: 'Vertrag.pdf' })
  const { id } = await newProduct({ categoryId: (await newCategory()).id })
  await attach(id, shown)
})

describe('an image that a product shows', () => {
  it('is there for everyone in three sizes, inline, to be kept by caches for a day', async () => {
    for (const variant of ['thumb', 'medium', 'full']) {
      const { status, headers, bytes } = await fetchFile(`${files}/${shown}/${variant}`)
      expect(status).toBe(200)
      expect(bytes).toEqual(expectedBytes(variant, size))
      const end = variant === 'full' ? '' : `-${variant}`
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'image/webp',
        'content-length': String(size),
        'content-disposition': `inline; filename="Tischdecke Muller${end}.webp"; filename*=UTF-8''Tischdecke%20M%C3%BCller${end}.webp`,
        'cache-control': 'public, max-age=86400, immutable',
        'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
        'accept-ranges': 'bytes',
        'last-modified': new Date(madeAt).toUTCString(),
        etag: expect.stringMatching(/^"[\w-]+"$/),
      })
    }
  })

  it('is the same for whoever is logged in, so that a cache needs one copy', async () => {
    const own = await fetchFile(`${files}/${shown}/thumb`, { token: owner.token })
    const { headers } = await fetchFile(`${files}/${shown}/thumb`)
    for (const name of ['Cache-Control', 'Vary', 'ETag', 'Cross-Origin-Resource-Policy']) {
      expect(own.headers.get(name), name).toBe(headers.get(name))
    }
    expect(headers.get('Vary')).toBe('Origin')
  })

  it('has its URL alone to say which bytes it is: another variant has another ETag', async () => {
    const tags = await Promise.all(
      ['thumb', 'medium', 'full'].map(async (name) => (await fetchFile(`${files}/${shown}/${name}`)).headers),
    )
    expect(new Set(tags.map(etagOf)).size).toBe(3)
  })
})

describe('a file of one’s own', () => {
  it('is asked for again each time, varies by who asks, and is embedded by no page of others', async () => {
    const { status, headers } = await fetchFile(`${files}/${privately}/full`, { token: owner.token })
    expect(status).toBe(200)
    expect(headers.get('Cache-Control')).toBe('private, no-cache')
    expect(headers.get('Vary')).toContain('Authorization')
    expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin')
  })

  it('that is a PDF is only ever saved', async () => {
    const { headers } = await fetchFile(`${files}/${pdf}/original`, { token: owner.token })
    expect(headers.get('Content-Type')).toBe('application/pdf')
    expect(headers.get('Content-Disposition')).toBe('attachment; filename="Vertrag.pdf"')
  })

  it('costs one call to the database, whatever is asked', async () => {
    const path = `${files}/${privately}/full`
    const etag = etagOf((await fetchFile(path, { token: owner.token })).headers)
    const asked: { method?: string; headers?: Record<string, string> }[] = [
      {},
      { method: 'HEAD' },
      { headers: { Range: 'bytes=0-1' } },
      { headers: { Range: 'bytes=9999-' } },
      { headers: { 'If-None-Match': etag } },
    ]
    for (const how of asked) {
      const { headers } = await fetchFile(path, { token: owner.token, ...how })
      expect(headers.get('Server-Timing'), JSON.stringify(how)).toContain('desc="1"')
    }
  })
})

describe('a part of a file', () => {
  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=100-', 100, undefined],
    ['bytes=-20', -20, undefined],
    ['bytes=5-99999999', 5, undefined],
    ['bytes=-99999999', 0, undefined],
  ] as const)('is sent for %s', async (range, from, to) => {
    const { status, headers, bytes } = await fetchFile(`${files}/${shown}/full`, {
      headers: { Range: range },
    })
    const wanted = expectedBytes('full', size).slice(from, to)
    const first = from < 0 ? size + from : from
    expect(status).toBe(206)
    expect(bytes).toEqual(wanted)
    expect(headers.get('Content-Range')).toBe(`bytes ${first}-${first + wanted.length - 1}/${size}`)
    expect(headers.get('Cache-Control')).toBe('public, max-age=86400, immutable')
  })

  it.each(['bytes=0-1,5-6', 'lines=0-1', 'bytes=2-1'])('is not sent for %s', async (range) => {
    const { status, bytes } = await fetchFile(`${files}/${shown}/full`, { headers: { Range: range } })
    expect([status, bytes.length]).toEqual([200, size])
  })

  it('that lies behind the end is refused', async () => {
    const reply = await api('GET', `${files}/${shown}/full`, { headers: { Range: `bytes=${size}-` } })
    expect([reply.status, reply.code]).toEqual([416, 'RANGE_NOT_SATISFIABLE'])
    expect(reply.headers.get('Content-Range')).toBe(`bytes */${size}`)
  })

  it('goes on only with the same file', async () => {
    const path = `${files}/${shown}/full`
    const etag = etagOf((await fetchFile(path)).headers)
    const statusWith = async (condition: string) =>
      (await fetchFile(path, { headers: { Range: 'bytes=0-1', 'If-Range': condition } })).status
    expect(await statusWith(etag)).toBe(206)
    expect(await statusWith(new Date(madeAt).toUTCString())).toBe(206)
    expect(await statusWith(`W/${etag}`)).toBe(200)
    expect(await statusWith('"other"')).toBe(200)
  })
})

describe('a file that the client has', () => {
  it('is not sent again, and its stored headers stay what they were', async () => {
    const path = `${files}/${shown}/full`
    const { headers } = await fetchFile(path)
    const conditions: Record<string, string>[] = [
      { 'If-None-Match': etagOf(headers) },
      { 'If-None-Match': `"other", W/${etagOf(headers)}` },
      { 'If-Modified-Since': new Date(madeAt).toUTCString() },
    ]
    for (const condition of conditions) {
      const reply = await fetchFile(path, { headers: condition })
      expect([reply.status, reply.bytes.length]).toEqual([304, 0])
      for (const name of [
        'Cache-Control',
        'ETag',
        'Vary',
        'Content-Security-Policy',
        'Cross-Origin-Resource-Policy',
      ]) {
        expect(reply.headers.get(name), name).toBe(headers.get(name))
      }
    }
    const other = await fetchFile(path, { headers: { 'If-None-Match': '"other"' } })
    expect(other.status).toBe(200)
  })
})

describe('what the store has', () => {
  it('is not opened for HEAD, nor for who has it already', async () => {
    const id = await newFile({ ownerId: owner.id })
    const path = `${files}/${id}/thumb`
    const { headers } = await fetchFile(path, { token: owner.token })
    const { objects } = await env.FILES.list({ prefix: `files/${id}/thumb` })
    await env.FILES.delete(objects.map(({ key }) => key))
    const head = await fetchFile(path, { token: owner.token, method: 'HEAD' })
    expect([head.status, head.bytes.length]).toEqual([200, 0])
    for (const name of ['ETag', 'Content-Length', 'Content-Type', 'Content-Disposition', 'Last-Modified']) {
      expect(head.headers.get(name), name).toBe(headers.get(name))
    }
    const known = await fetchFile(path, { token: owner.token, headers: { 'If-None-Match': etagOf(headers) } })
    expect(known.status).toBe(304)
    // The control: GET would have.
    expect((await fetchFile(path, { token: owner.token })).status).toBe(404)
  })

  it('is sent only if it is what was scanned', async () => {
    const id = await newFile({ ownerId: owner.id })
    const { objects } = await env.FILES.list({ prefix: `files/${id}/full` })
    await env.FILES.put(objects[0]?.key ?? '', 'something else')
    const { status, bytes } = await fetchFile(`${files}/${id}/full`, { token: owner.token })
    expect(status).toBe(404)
    expect(new TextDecoder().decode(bytes)).not.toContain('something else')
  })
})

describe('the name under which a file is saved', () => {
  const grammar = /^inline; filename="([^"\\%]+)"(?:; filename\*=UTF-8''((?:[\w!#$&+.^`|~-]|%[\dA-F]{2})+))?$/

  it('is harmless whatever the upload was called', async () => {
    const id = await newFile({ ownerId: owner.id })
    // What a row can hold.
    const storable = nastyNames.filter((name) => /^[^\0]{1,255}$/s.test(name) && name.isWellFormed())
    expect(storable.length).toBeGreaterThan(90)
    for (const name of storable) {
      await sql('update uploads set name = $2 where id = $1', [id, name])
      const { status, headers } = await fetchFile(`${files}/${id}/full`, {
        token: owner.token,
        method: 'HEAD',
      })
      expect(status).toBe(200)
      const [, plain = '', extended = ''] = grammar.exec(headers.get('Content-Disposition') ?? '') ?? []
      for (const saved of [plain, decodeURIComponent(extended) || plain]) {
        expect(saved, name).toMatch(/^[^\p{Cc}\p{Cs}/\\<>:"|?*\u202a-\u202e\u2066-\u2069]{1,200}\.webp$/u)
        expect(saved, name).not.toMatch(/^[\s.-]/)
      }
      expect(headers.has('Set-Cookie') || headers.has('X-Injected')).toBe(false)
    }
  })
})
