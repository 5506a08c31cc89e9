import { beforeEach, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { appWith } from '../support/edge-app.ts'
import { jobRow, newJob } from '../support/edge-jobs.ts'
import { newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

beforeEach(async () => {
  await sql('truncate audit_events, job_attempts, job_pauses, jobs')
})

/** As in previews, whose queues have no consumer; the job is sent because an administrator retries it. */
const retry = async (id: string): Promise<number> => {
  const { token } = await newUser({ role: 'admin' })
  const { request } = appWith({ env: { JOB_RUNNER: 'inline' } })
  const headers = { Authorization: `Bearer ${token}` }
  return (await request(`/api/v1/admin/jobs/${id}/retry`, { method: 'POST', headers })).status
}

it('a job is done after the response, without a queue', async () => {
  const id = await newJob()
  expect(await retry(id)).toBe(200)
  expect(await jobRow(id)).toMatchObject({ state: 'done', attempt: 1 })
})

it('a job that fails for good is dead, without a dead-letter queue, and what tells of it is done', async () => {
  const id = await newJob({ type: 'report.build', payload: { reportId: newId() } })
  expect(await retry(id)).toBe(200)
  expect(await jobRow(id)).toMatchObject({ state: 'dead', failures: 1 })
  const others = await sql('select type, state from jobs where id <> $1 order by type', [id])
  expect(others).toEqual([
    { type: 'mail.send', state: 'done' },
    { type: 'ops.alert', state: 'done' },
  ])
})
