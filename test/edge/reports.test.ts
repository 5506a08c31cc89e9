import { beforeAll, describe, expect, it } from 'vitest'
import { Report } from '../../src/reports/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { list } from '../support/edge-lists.ts'
import { askFor, get, jobsOf, setJob } from '../support/edge-reports.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

let admin: TestUser
let user: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
  user = await newUser()
})

const dayFromNow = (days: number): string =>
  new Date(Date.now() + days * 24 * 60 * 60 * 1_000).toISOString().slice(0, 10)

const ask = async (body: object, headers: Record<string, string> = {}) =>
  await api('POST', '/api/v1/reports', { token: admin.token, body, headers })

const idOf = ({ data }: { data?: unknown }): string => Report.parse(data).id

describe('asking for a report', () => {
  it('answers 202 with the place where it will be, in one call to the database', async () => {
    const trace = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    const headers = { 'X-Request-Id': 'who-asked-for-it', traceparent: trace }
    const reply = await ask({ from: '2026-01-01', to: '2026-01-31' }, headers)
    const report = Report.parse(reply.data)
    expect([reply.status, reply.calls]).toEqual([202, 1])
    expect(reply.headers.get('Location')).toBe(`/api/v1/reports/${report.id}`)
    expect(report).toMatchObject({
      ...{ from: '2026-01-01', to: '2026-01-31', status: 'pending', progress: 0, requestedBy: admin.id },
      ...{ asOf: null, files: null, error: null, finishedAt: null },
    })
    const jobs = await jobsOf(report.id, 'report.build')
    expect(jobs).toMatchObject([{ payload: { reportId: report.id }, request_id: 'who-asked-for-it' }])
    expect(jobs[0]?.traceparent).toMatch(new RegExp(`^00-${'ab'.repeat(16)}-`))
  })

  it('answers a finished period with the report that it has, and makes no second job', async () => {
    const period = { from: '2026-02-01', to: '2026-02-02' }
    const ids = [idOf(await ask(period)), idOf(await ask(period)), idOf(await ask({ ...period }))]
    expect(new Set(ids).size).toBe(1)
    expect(await sql('select from jobs where payload ->> $1 = $2', ['reportId', ids[0]])).toHaveLength(1)
    expect(idOf(await ask({ ...period, to: '2026-02-03' }))).not.toBe(ids[0])
  })

  it('makes another when told to refresh, which answers from then on', async () => {
    const period = { from: '2026-02-10', to: '2026-02-10' }
    const first = idOf(await ask(period))
    const second = idOf(await ask({ ...period, refresh: true }))
    expect(second).not.toBe(first)
    expect(idOf(await ask(period))).toBe(second)
    expect((await get(admin.token, first)).status).toBe('pending')
  })

  it('makes one report of many requests at once', async () => {
    const period = { from: '2026-02-20', to: '2026-02-20' }
    const replies = await Promise.all(Array.from({ length: 10 }, () => ask(period)))
    expect(new Set(replies.map(idOf)).size).toBe(1)
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202))
  })

  it('makes a report each time while the period lasts, because its figures still move', async () => {
    const period = { from: dayFromNow(-3), to: dayFromNow(0) }
    expect(idOf(await ask(period))).not.toBe(idOf(await ask(period)))
  })

  it('makes another when the one that it had has failed', async () => {
    const period = { from: '2026-03-01', to: '2026-03-01' }
    const first = idOf(await ask(period))
    await setJob(first, 'dead')
    expect((await get(admin.token, first)).status).toBe('failed')
    const second = idOf(await ask(period))
    expect(second).not.toBe(first)
    // A dead job that a person retries brings its report back.
    await setJob(first, 'pending')
    expect((await get(admin.token, first)).status).toBe('pending')
    expect(idOf(await ask(period))).toBe(second)
  })

  it('answers a retry under the same key with the same bytes', async () => {
    const body = { from: dayFromNow(0), to: dayFromNow(0) }
    const headers = { 'Idempotency-Key': newId() }
    const [first, again] = [await ask(body, headers), await ask(body, headers)]
    expect([again.status, again.text]).toEqual([202, first.text])
    expect(again.headers.get('Idempotency-Replayed')).toBe('true')
    expect(again.headers.get('Location')).toBe(`/api/v1/reports/${idOf(first)}`)
    expect((await ask({ ...body, refresh: true }, headers)).code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it.each([
    // One that is still to come when it is asked for.
    ['to', { from: dayFromNow(0), to: dayFromNow(2) }],
    ['to', { from: '2026-03-02', to: '2026-03-01' }],
    ['to', { from: '2024-01-01', to: '2025-01-01' }],
    ['from', { from: '1999-12-31', to: '2000-01-01' }],
    ['from', { from: '2026-02-30', to: '2026-03-01' }],
    ['from', { from: '2026-03-01T00:00:00Z', to: '2026-03-01' }],
    ['from', { to: '2026-03-01' }],
    ['refresh', { from: '2026-03-01', to: '2026-03-01', refresh: 'yes' }],
    ['days', { from: '2026-03-01', to: '2026-03-01', days: 1 }],
  ])('refuses with 422 at %s: %j', async (field, body) => {
    const reply = await ask(body)
    expect([reply.status, reply.code]).toEqual([422, 'VALIDATION_FAILED'])
    expect(reply.details).toMatchObject([{ field }])
  })

  it('takes a whole leap year', async () => {
    expect((await ask({ from: '2024-01-01', to: '2024-12-31' })).status).toBe(202)
  })
})

describe('reports', () => {
  it('are listed newest first, in one call', async () => {
    const { id } = await askFor(admin.token, '2026-04-01')
    const { rows } = await list('/api/v1/reports?limit=2', admin.token)
    expect(rows).toHaveLength(2)
    expect(rows[0]?.id).toBe(id)
    const oldest = await list('/api/v1/reports?sort=createdAt&limit=1', admin.token)
    expect(oldest.rows[0]?.id).not.toBe(id)
  })

  it('are not found under other ids', async () => {
    for (const path of ['', '/file']) {
      const { status, code } = await api('GET', `/api/v1/reports/${newId()}${path}`, { token: admin.token })
      expect([status, code]).toEqual([404, 'NOT_FOUND'])
    }
    expect((await api('GET', '/api/v1/reports/none', { token: admin.token })).status).toBe(404)
  })

  it('are for administrators', async () => {
    const { id } = await askFor(admin.token, '2026-04-02')
    const calls: [string, string, object?][] = [
      ['POST', '/api/v1/reports', { from: '2026-04-03', to: '2026-04-03' }],
      ['GET', '/api/v1/reports'],
      ['GET', `/api/v1/reports/${id}`],
      ['GET', `/api/v1/reports/${id}/file`],
    ]
    for (const [method, path, body] of calls) {
      expect((await api(method, path, { body })).status).toBe(401)
      expect((await api(method, path, { body, token: user.token })).status).toBe(403)
    }
    const demoted = await newUser({ role: 'admin' })
    await sql("update users set role = 'user' where id = $1", [demoted.id])
    for (const [method, path, body] of calls) {
      expect((await api(method, path, { body, token: demoted.token })).status, path).toBe(403)
    }
  })
})
