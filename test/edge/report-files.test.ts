import { exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { api, origin } from '../support/edge-api.ts'
import { askFor, builderWith, contextOf } from '../support/edge-reports.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'

let admin: TestUser
let path: string
let whole: { bytes: Uint8Array; headers: Headers }

const fetchFile = async (headers: Record<string, string> = {}, method = 'GET', query = '?format=pdf') => {
  const response = await exports.default.fetch(`${origin}${path}${query}`, {
    method,
    headers: { Authorization: `Bearer ${admin.token}`, ...headers },
  })
  return {
    ...{ status: response.status, headers: response.headers },
    bytes: new Uint8Array(await response.arrayBuffer()),
  }
}

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
  const { id, jobId } = await askFor(admin.token, '2026-05-01', '2026-05-02')
  await builderWith().build({ reportId: id }, contextOf(jobId))
  path = `/api/v1/reports/${id}/file`
  whole = await fetchFile()
})

describe('the file of a report', () => {
  it('is a PDF to be saved under the days that it is about', () => {
    const { bytes, headers } = whole
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe('%PDF-1.7')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(bytes.length),
      'content-disposition': 'attachment; filename="selvedge-report-2026-05-01-to-2026-05-02.pdf"',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      vary: expect.stringContaining('Authorization'),
      etag: expect.stringMatching(/^"[\w-]+"$/),
      'last-modified': expect.stringMatching(/ GMT$/),
    })
    expect(bytes.length).toBeGreaterThan(10_000)
  })

  it('is a PDF unless the list is asked for', async () => {
    expect((await fetchFile({}, 'GET', '')).bytes).toEqual(whole.bytes)
    const csv = await fetchFile({}, 'GET', '?format=csv')
    expect(csv.headers.get('Content-Type')).toBe('text/csv; charset=utf-8; header=present')
    expect(csv.headers.get('Content-Disposition')).toMatch(/\.csv"$/)
    const wrong = await api('GET', `${path}?format=exe`, { token: admin.token })
    expect([wrong.status, wrong.code]).toEqual([422, 'VALIDATION_FAILED'])
  })

  it('tells by HEAD what GET would, without a body', async () => {
    const { status, headers, bytes } = await fetchFile({ Range: 'bytes=0-1' }, 'HEAD')
    expect([status, bytes.length]).toEqual([200, 0])
    for (const name of ['ETag', 'Content-Length', 'Content-Type', 'Content-Disposition', 'Last-Modified']) {
      expect(headers.get(name), name).toBe(whole.headers.get(name))
    }
  })

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=100-', 100, undefined],
    ['bytes=-20', -20, undefined],
    ['bytes=5-99999999', 5, undefined],
    ['bytes=-99999999', 0, undefined],
  ] as const)('is sent in part for %s', async (range, from, to) => {
    const { status, headers, bytes } = await fetchFile({ Range: range })
    const wanted = whole.bytes.slice(from, to)
    expect(status).toBe(206)
    expect(bytes).toEqual(wanted)
    const first = from < 0 ? whole.bytes.length + from : from
    expect(headers.get('Content-Range')).toBe(
      `bytes ${first}-${first + wanted.length - 1}/${whole.bytes.length}`,
    )
    expect(headers.get('Content-Length')).toBe(String(wanted.length))
  })

  it.each(['bytes=0-1,5-6', 'lines=0-1', 'bytes=', 'bytes=-', 'bytes=2-1', 'bytes=a-b'])(
    'is sent whole for %s, which is no range',
    async (range) => {
      const { status, bytes } = await fetchFile({ Range: range })
      expect([status, bytes.length]).toEqual([200, whole.bytes.length])
    },
  )

  it.each(['bytes=99999999-', 'bytes=99999998-99999999', 'bytes=-0'])('has no part for %s', async (range) => {
    const reply = await api('GET', path, { token: admin.token, headers: { Range: range } })
    expect([reply.status, reply.code]).toEqual([416, 'RANGE_NOT_SATISFIABLE'])
    expect(reply.headers.get('Content-Range')).toBe(`bytes */${whole.bytes.length}`)
  })

  it('is not sent again to who has it', async () => {
    const etag = whole.headers.get('ETag') ?? ''
    const modified = whole.headers.get('Last-Modified') ?? ''
    const current: Record<string, string>[] = [
      { 'If-None-Match': etag },
      { 'If-None-Match': `"other", W/${etag}` },
      { 'If-None-Match': '*' },
      { 'If-None-Match': etag, Range: 'bytes=0-1' },
      { 'If-Modified-Since': modified },
    ]
    for (const headers of current) {
      const reply = await fetchFile(headers)
      expect([reply.status, reply.bytes.length, reply.headers.get('ETag')]).toEqual([304, 0, etag])
    }
    const old: Record<string, string>[] = [
      { 'If-None-Match': '"other"' },
      { 'If-None-Match': '"other"', 'If-Modified-Since': modified },
      { 'If-Modified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT' },
      { 'If-Modified-Since': 'nonsense' },
    ]
    for (const headers of old) expect((await fetchFile(headers)).status, JSON.stringify(headers)).toBe(200)
  })

  it('is continued only for who has the beginning of the same', async () => {
    const range = { Range: 'bytes=0-1' }
    const etag = whole.headers.get('ETag') ?? ''
    const modified = whole.headers.get('Last-Modified') ?? ''
    expect((await fetchFile({ ...range, 'If-Range': etag })).status).toBe(206)
    expect((await fetchFile({ ...range, 'If-Range': modified })).status).toBe(206)
    expect((await fetchFile({ ...range, 'If-Range': `W/${etag}` })).status).toBe(200)
    expect((await fetchFile({ ...range, 'If-Range': '"other"' })).status).toBe(200)
  })

  it('is not there before the report is ready', async () => {
    const { id } = await askFor(admin.token, '2026-05-03')
    const reply = await api('GET', `/api/v1/reports/${id}/file`, { token: admin.token })
    expect([reply.status, reply.code, reply.details]).toEqual([
      409,
      'REPORT_NOT_READY',
      { status: 'pending' },
    ])
  })
})
