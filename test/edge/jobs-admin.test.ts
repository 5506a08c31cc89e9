import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { JobDetail, JobPage, JobStats } from '../../src/jobs/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { PermanentError } from '../../src/shared/permanent-error.ts'
import { api } from '../support/edge-api.ts'
import { jobRow, newJob, workWith } from '../support/edge-jobs.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const path = '/api/v1/admin/jobs'

let admin: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
})

beforeEach(async () => {
  await sql('truncate audit_events, job_attempts, job_pauses, jobs, idempotency_keys')
})

const get = (rest = '') => api('GET', `${path}${rest}`, { token: admin.token })
const post = (rest: string, body?: unknown, headers: Record<string, string> = {}) =>
  api('POST', `${path}${rest}`, { token: admin.token, body, headers })

const deadJob = (columns: Record<string, unknown> = {}) =>
  newJob({
    state: 'dead',
    failures: 3,
    failed_at: new Date(),
    finished_at: new Date(),
    last_error: 'no',
    ...columns,
  })

const auditOf = (subject: string) =>
  sql<{
    action: string
    actor_id: string
    reason: string | null
    before: unknown
    after: unknown
    request_id: string
  }>(
    'select action, actor_id, reason, before, after, request_id from audit_events where subject = $1 order by at',
    [subject],
  )

describe('the list of jobs', () => {
  it('pages through all of them, the newest first, and repeats none', async () => {
    const made: string[] = []
    for (let n = 0; n < 7; n++)
      made.push(await newJob({ created_at: new Date(Date.UTC(2026, 10, 20) + (n >> 1)) }))
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { body, calls } = await get(`?limit=3${cursor && `&cursor=${cursor}`}`)
      expect(calls).toBe(1)
      const { data, page } = JobPage.parse(body)
      seen.push(...data.map(({ id }) => id))
      expect(page.hasMore).toBe(page.nextCursor !== null)
      cursor = page.nextCursor
    }
    expect(seen.toSorted()).toEqual(made.toSorted())
    expect(seen.at(0)).toBe(made.at(-1))
  })

  it('finds by state, by type, and by the id of a job or of what it is about', async () => {
    const subject = newId()
    const [about, dead] = [await newJob({ subject_id: subject }), await deadJob()]
    const found = async (query: string) => JobPage.parse((await get(query)).body).data.map(({ id }) => id)
    expect(await found('?state=dead')).toEqual([dead])
    expect(await found(`?q=${subject}`)).toEqual([about])
    expect(await found(`?q=${dead}`)).toEqual([dead])
    expect(await found('?type=ops.alert')).toHaveLength(2)
    expect(await found('?type=ops.alert&state=running')).toEqual([])
  })

  it.each(['?cursor=bm9uc2Vuc2U', '?state=lost', '?limit=0', '?q=x', '?page=2'])(
    'refuses %s',
    async (query) => {
      expect((await get(query)).code).toBe('VALIDATION_FAILED')
    },
  )

  it('is for administrators only', async () => {
    const { token } = await newUser()
    for (const rest of ['', '/stats', `/${newId()}`]) {
      expect((await api('GET', `${path}${rest}`, { token })).status).toBe(403)
    }
    expect((await api('POST', `${path}/${newId()}/retry`, { token })).status).toBe(403)
  })
})

describe('a job', () => {
  it('shows its attempts, what was done to it, and no secret', async () => {
    const id = await newJob()
    await sql(
      `update jobs set payload = payload || '{"resetToken":"hush","nested":{"Password":"hush"}}' where id = $1`,
      [id],
    )
    await workWith(() => Promise.reject(new PermanentError('gone'))).deliver(id)
    await workWith().deliverDead(id)
    await post(`/${id}/discard`, { reason: 'a test' })
    const { data, text } = await get(`/${id}`)
    expect(text).not.toContain('hush')
    const job = JobDetail.parse(data)
    expect(job).toMatchObject({ state: 'discarded', failures: 1, lastError: 'PermanentError: gone' })
    expect(job.timeline).toMatchObject([{ attempt: 1, outcome: 'failed', error: 'PermanentError: gone' }])
    expect(job.actions).toMatchObject([{ action: 'job.discarded', actorId: admin.id, reason: 'a test' }])
  })

  it('that is unknown is a 404 everywhere', async () => {
    const id = newId()
    expect((await get(`/${id}`)).status).toBe(404)
    expect((await post(`/${id}/retry`)).status).toBe(404)
    expect((await post(`/${id}/discard`, { reason: 'x' })).status).toBe(404)
  })
})

describe('retrying', () => {
  it('lets a dead job begin anew and leaves an audit entry', async () => {
    const id = await deadJob()
    const { status, data, calls, headers } = await post(`/${id}/retry`)
    expect([status, calls]).toEqual([200, 1])
    expect(data).toMatchObject({ id, state: 'pending', failures: 0 })
    expect(await auditOf(id)).toEqual([
      {
        ...{
          action: 'job.retried',
          actor_id: admin.id,
          reason: null,
          request_id: headers.get('X-Request-Id'),
        },
        before: { state: 'dead', failures: 3, error: 'no' },
        after: { state: 'pending', failures: 0, error: 'no' },
      },
    ])
    await workWith().deliver(id)
    expect(await jobRow(id)).toMatchObject({ state: 'done' })
  })

  it('with the same key does it once', async () => {
    const id = await deadJob()
    const key = { 'Idempotency-Key': 'retry-1' }
    const first = await post(`/${id}/retry`, undefined, key)
    const again = await post(`/${id}/retry`, undefined, key)
    expect(again.text).toBe(first.text)
    expect(again.headers.get('Idempotency-Replayed')).toBe('true')
    expect(await auditOf(id)).toHaveLength(1)
  })

  it.each([
    ['running', { state: 'running', lease_until: new Date(Date.now() + 30_000) }],
    ['done', { state: 'done', finished_at: new Date() }],
  ])('refuses a job that is %s, and so does discarding', async (_, columns) => {
    const id = await newJob(columns)
    expect((await post(`/${id}/retry`)).code).toBe('INVALID_TRANSITION')
    expect((await post(`/${id}/discard`, { reason: 'x' })).code).toBe('INVALID_TRANSITION')
    expect(await auditOf(id)).toEqual([])
  })
})

describe('discarding', () => {
  it('asks for a reason', async () => {
    const id = await deadJob()
    for (const body of [{}, { reason: ' ' }, { reason: 'x'.repeat(501) }]) {
      expect((await post(`/${id}/discard`, body)).code).toBe('VALIDATION_FAILED')
    }
    expect(await jobRow(id)).toMatchObject({ state: 'dead' })
  })
})

describe('redriving', () => {
  it('spreads the oldest over time, up to the limit, and leaves an entry each', async () => {
    const died = (minute: number) => ({ finished_at: new Date(Date.UTC(2026, 10, 19, 12, minute)) })
    const jobs = [
      await deadJob(died(0)),
      await deadJob(died(1)),
      await deadJob(died(2)),
      await deadJob(died(3)),
    ]
    const { data, calls } = await post('/redrive', { limit: 3, perMinute: 30 })
    expect(calls).toBe(1)
    expect(data).toMatchObject({ redriven: 3 })
    const waits = await Promise.all(jobs.map(async (id) => Math.round((await jobRow(id))?.waits ?? 0)))
    expect(waits.slice(0, 3).map((wait) => wait - (waits[0] ?? 0))).toEqual([0, 2, 4])
    expect(await jobRow(jobs[3] ?? '')).toMatchObject({ state: 'dead' })
    expect(await auditOf(jobs[0] ?? '')).toMatchObject([
      { action: 'job.redriven', after: { state: 'pending' } },
    ])
  })

  it('takes what died in a time, of a type', async () => {
    const at = (hour: number) => ({ finished_at: new Date(Date.UTC(2026, 10, 19, hour)) })
    await deadJob(at(8))
    const inside = await deadJob(at(12))
    await deadJob({ ...at(12), type: 'of.another' })
    await deadJob(at(16))
    const between = { from: '2026-11-19T10:00:00.000Z', to: '2026-11-19T14:00:00.000Z' }
    const { data } = await post('/redrive', { type: 'ops.alert', ...between, limit: 100, perMinute: 60 })
    expect(data).toMatchObject({ redriven: 1 })
    expect(await jobRow(inside)).toMatchObject({ state: 'pending' })
  })

  it('twice at once redrives none twice, and a repeated request nothing at all', async () => {
    for (let n = 0; n < 20; n++) await deadJob()
    const body = { limit: 100, perMinute: 6_000 }
    const replies = await Promise.all([post('/redrive', body), post('/redrive', body)])
    const counts = replies.map(({ data }) => (data as { redriven: number }).redriven)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20)
    await deadJob()
    const key = { 'Idempotency-Key': 'redrive-1' }
    const first = await post('/redrive', body, key)
    await deadJob()
    expect((await post('/redrive', body, key)).text).toBe(first.text)
    expect(await sql(`select from jobs where state = 'dead'`)).toHaveLength(1)
  })

  it.each([
    {},
    { limit: 1_001, perMinute: 1 },
    { limit: 1, perMinute: 0 },
    { limit: 1, perMinute: 1, type: 'x' },
  ])('refuses %j', async (body) => {
    expect((await post('/redrive', body)).code).toBe('VALIDATION_FAILED')
  })
})

describe('pausing a type', () => {
  it('stops its jobs until it is resumed, and is noted once', async () => {
    const id = await newJob()
    expect((await post('/types/ops.alert/pause')).data).toEqual({ type: 'ops.alert', paused: true })
    expect((await post('/types/ops.alert/pause')).status).toBe(200)
    await workWith().deliver(id)
    expect(await jobRow(id)).toMatchObject({ state: 'pending' })
    expect((await post('/types/ops.alert/resume')).data).toEqual({ type: 'ops.alert', paused: false })
    expect((await workWith().jobs.sweep()).relayed).toEqual([id])
    await workWith().deliver(id)
    expect(await jobRow(id)).toMatchObject({ state: 'done' })
    expect(await auditOf('ops.alert')).toMatchObject([
      { action: 'jobType.paused', before: { paused: false }, after: { paused: true } },
      { action: 'jobType.resumed', before: { paused: true }, after: { paused: false } },
    ])
  })

  it('refuses a type that does not exist', async () => {
    expect((await post('/types/moon.land/pause')).status).toBe(404)
  })
})

describe('the statistics', () => {
  it('tell depth, age, throughput and failures, in one call', async () => {
    const [, good] = [await newJob({ run_at: new Date(Date.now() - 60_000) }), await newJob()]
    await workWith().deliver(good)
    await workWith(() => Promise.reject(new Error('no'))).deliver(await newJob())
    await deadJob()
    const { data, calls } = await get('/stats')
    expect(calls).toBe(1)
    const stats = JobStats.parse(data)
    expect(stats.depth).toBe(2)
    expect(Math.abs(stats.oldestPendingSeconds - 60)).toBeLessThan(20)
    const rates = { done: 1, failed: 1, failureRate: 0.5 }
    expect(stats.types.find(({ type }) => type === 'ops.alert')).toMatchObject({
      ...{ pending: 2, running: 0, dead: 1, paused: false, lastHour: rates, lastDay: rates },
    })
  })

  it('are zeros when there is nothing', async () => {
    expect((await get('/stats')).data).toMatchObject({ depth: 0, oldestPendingSeconds: 0 })
  })
})
