import { beforeEach, describe, expect, it } from 'vitest'
import { JobMessage } from '../../src/jobs/producer.ts'
import { newId } from '../../src/shared/ids.ts'
import { PermanentError } from '../../src/shared/permanent-error.ts'
import { attemptsOf, jobRow, makeDue, newJob, workWith } from '../support/edge-jobs.ts'
import { sql } from '../support/edge-sql.ts'
import { newUser } from '../support/edge-rows.ts'

beforeEach(async () => {
  await sql('truncate audit_events, job_attempts, job_pauses, jobs')
})

const failing = () => Promise.reject(new Error('the sink is away'))

describe('a job that is delivered', () => {
  it('is done once, however often it is delivered', async () => {
    let effects = 0
    const { deliver } = workWith(() => Promise.resolve(void effects++))
    const id = await newJob()
    expect(await deliver(id, id)).toEqual(['acked', 'acked'])
    expect(await deliver(id)).toEqual(['acked'])
    expect(effects).toBe(1)
    expect(await jobRow(id)).toMatchObject({ state: 'done', attempt: 1, failures: 0 })
    expect(await attemptsOf(id)).toEqual(['done'])
  })

  it('costs one call for the claim and one for the outcomes, ten jobs or one', async () => {
    const { deliver, meter } = workWith()
    await deliver(...(await Promise.all(Array.from({ length: 10 }, () => newJob()))))
    expect(meter.calls).toBe(2)
  })

  it.each([
    ['early', { run_at: new Date(Date.now() + 60_000) }],
    ['failed for good', { failed_at: new Date(), failures: 3 }],
    ['discarded', { state: 'discarded', finished_at: new Date() }],
    ['dead', { state: 'dead', finished_at: new Date() }],
    ['running', { state: 'running', attempt: 1, lease_until: new Date(Date.now() + 30_000) }],
  ])('does not run when it is %s', async (_, columns) => {
    const { deliver } = workWith(failing)
    const id = await newJob(columns)
    const before = await jobRow(id)
    expect(await deliver(id)).toEqual(['acked'])
    expect({ ...(await jobRow(id)), waits: 0 }).toEqual({ ...before, waits: 0 })
  })

  it('is acknowledged when there is no such job', async () => {
    expect(await workWith().deliver(newId())).toEqual(['acked'])
  })

  it('does not run while its type is paused', async () => {
    const { id: adminId } = await newUser({ role: 'admin' })
    await sql(`insert into job_pauses (type, actor_id) values ('ops.alert', $1)`, [adminId])
    const id = await newJob()
    expect(await workWith().deliver(id)).toEqual(['acked'])
    expect(await jobRow(id)).toMatchObject({ state: 'pending', attempt: 0 })
  })
})

describe('a job that fails', () => {
  it('waits 10 s, then 30 s, give or take a tenth, and is buried at the third failure', async () => {
    const { deliver, buried } = workWith(failing)
    const id = await newJob()
    const [first] = await deliver(id)
    expect((await jobRow(id))?.waits).toBeGreaterThan(8)
    expect((await jobRow(id))?.waits).toBeLessThanOrEqual(11)
    expect(first).toBeGreaterThanOrEqual(9)
    await makeDue(id)
    const [second] = await deliver(id)
    expect(second).toBeGreaterThanOrEqual(27)
    expect(second).toBeLessThanOrEqual(33)
    await makeDue(id)
    expect(await deliver(id)).toEqual(['acked'])
    expect(buried).toEqual([id])
    const row = await jobRow(id)
    expect(row).toMatchObject({
      state: 'pending',
      failures: 3,
      failed: true,
      last_error: 'Error: the sink is away',
    })
    expect(await attemptsOf(id)).toEqual(['failed', 'failed', 'failed'])
  })

  it.each([
    ['holds NUL', 'before\0after', 'Error: before\uFFFDafter'],
    ['is cut amid a pair', `${'x'.repeat(492)}😀`, `Error: ${'x'.repeat(492)}\uFFFD`],
  ])('with a message that %s keeps no neighbour from being done', async (_, message, kept) => {
    const [poison, healthy] = [await newJob(), await newJob()]
    const { deliver } = workWith((_, { id }) =>
      id === poison ? Promise.reject(new Error(message)) : Promise.resolve(),
    )
    expect(await deliver(poison, healthy)).toEqual([expect.any(Number), 'acked'])
    expect(await jobRow(poison)).toMatchObject({ state: 'pending', failures: 1, last_error: kept })
    expect(await jobRow(healthy)).toMatchObject({ state: 'done' })
  })

  it('for good is buried at once', async () => {
    const { deliver, buried } = workWith(() => Promise.reject(new PermanentError('no such order')))
    const id = await newJob()
    expect(await deliver(id)).toEqual(['acked'])
    expect(buried).toEqual([id])
    expect(await jobRow(id)).toMatchObject({ failures: 1, failed: true })
  })
})

describe('an attempt whose lease is over', () => {
  it('can change nothing once another has begun', async () => {
    const { jobs } = workWith()
    const id = await newJob()
    const [late] = await jobs.claim([id])
    await makeDue(id)
    const [next] = await jobs.claim([id])
    expect([late?.attempt, next?.attempt]).toEqual([1, 2])
    expect(await jobs.settle([{ id, attempt: 1, done: true }])).toEqual([])
    expect(await jobs.renew([{ id, attempt: 1 }])).toEqual([])
    expect(await jobRow(id)).toMatchObject({ state: 'running', attempt: 2, lost_leases: 1 })
    expect(await attemptsOf(id)).toEqual(['lost', null])
    expect(await jobs.renew([{ id, attempt: 2 }])).toEqual([id])
    expect(await jobs.settle([{ id, attempt: 2, done: true }])).toHaveLength(1)
  })

  it('counts for itself, and not as a failure', async () => {
    const { jobs } = workWith()
    const id = await newJob()
    await jobs.claim([id])
    await makeDue(id)
    expect((await jobs.sweep()).relayed).toEqual([id])
    expect(await jobRow(id)).toMatchObject({ state: 'pending', failures: 0, lost_leases: 1 })
    expect(await attemptsOf(id)).toEqual(['lost'])
  })

  it('fails for good when it happened too often, and is not claimed once more', async () => {
    const { jobs } = workWith()
    const id = await newJob({ lost_leases: 9 })
    await jobs.claim([id])
    await makeDue(id)
    expect(await jobs.claim([id])).toEqual([])
    expect(await jobs.sweep()).toMatchObject({ relayed: [], failed: [id] })
    expect(await jobRow(id)).toMatchObject({ lost_leases: 10, failed: true })
  })
})

describe('the sweeper', () => {
  it('brings back what nobody took, within a minute however often it was lost before', async () => {
    const { jobs } = workWith()
    const [fresh, lost] = [await newJob(), await newJob()]
    await makeDue(lost)
    expect((await jobs.sweep()).relayed).toEqual([lost])
    expect((await jobs.sweep()).relayed).toEqual([])
    for (let n = 0; n < 3; n++) {
      await makeDue(lost)
      const [before] = await sql<{ at: string }>('select now()::text as at')
      await jobs.sweep()
      const [gap] = await sql<{ from_before: number; from_after: number }>(
        `select extract(epoch from relay_at - $2::timestamptz)::float as from_before,
          extract(epoch from relay_at - now())::float as from_after from jobs where id = $1`,
        [lost, before?.at],
      )
      // 45 s from the sweep, which was between the two looks.
      expect(gap?.from_before).toBeGreaterThanOrEqual(45)
      expect(gap?.from_after).toBeLessThanOrEqual(45)
    }
    expect(await jobRow(fresh)).toMatchObject({ state: 'pending' })
  })

  it('leaves those of a paused type alone, but for those that have failed', async () => {
    const { id: adminId } = await newUser({ role: 'admin' })
    await sql(`insert into job_pauses (type, actor_id) values ('ops.alert', $1)`, [adminId])
    const [waiting, failed] = [await newJob(), await newJob({ failed_at: new Date(), failures: 3 })]
    await makeDue(waiting)
    await makeDue(failed)
    expect(await workWith().jobs.sweep()).toMatchObject({ relayed: [], failed: [failed] })
  })
})

describe('the dead-letter queue', () => {
  it('makes dead what has failed, and tells the operators once', async () => {
    const { deliverDead, sent } = workWith()
    const id = await newJob({ type: 'report.build', failed_at: new Date(), failures: 3, last_error: 'no' })
    expect(await deliverDead(id, id)).toEqual(['acked', 'acked'])
    await deliverDead(id)
    expect(await jobRow(id)).toMatchObject({ state: 'dead' })
    const alerts = await sql<{ id: string; payload: object }>(
      `select id, payload from jobs where type <> 'report.build' order by type desc`,
    )
    expect(alerts.map(({ payload }) => payload)).toEqual([
      { jobId: id, type: 'report.build', failures: 3, error: 'no' },
      { template: 'operatorAlert', jobId: id },
    ])
    expect(sent.map((delivery) => delivery.id).toSorted()).toEqual(alerts.map((alert) => alert.id).toSorted())
  })

  it('tells of each in messages that the queue of jobs takes', async () => {
    const { deliverDead, sent } = workWith()
    const failed = { type: 'report.build', failed_at: new Date(), failures: 3 }
    for (let n = 0; n < 10; n++) await deliverDead(await newJob(failed))
    expect(sent).toHaveLength(20)
    for (const delivery of sent) expect(JobMessage.safeParse(delivery).success).toBe(true)
  })

  it.each([
    ['an alert', {}],
    [
      'a mail about a dead job',
      { type: 'mail.send', payload: { template: 'operatorAlert', jobId: newId() } },
    ],
  ])('tells nobody of %s that cannot be sent', async (_, columns) => {
    const id = await newJob({ failed_at: new Date(), failures: 3, ...columns })
    await workWith().deliverDead(id)
    expect(await sql('select from jobs')).toHaveLength(1)
  })

  it('sends back whatever has not failed', async () => {
    const { deliverDead, sent } = workWith()
    const [healthy, done] = [await newJob(), await newJob({ state: 'done', finished_at: new Date() })]
    expect(await deliverDead(healthy, done, newId())).toEqual(['acked', 'acked', 'acked'])
    expect(sent).toEqual([{ id: healthy }])
    expect(await jobRow(healthy)).toMatchObject({ state: 'pending', failures: 0 })
  })
})

describe('a schedule', () => {
  const slot = (day: string) => ({
    ...{ key: `daily ${day}`, schedule: 'daily', type: 'ops.alert', payload: { day }, id: newId() },
  })
  const filled = async () =>
    (await sql<{ key: string }>('select slot_key as key from jobs order by 1')).map(({ key }) => key)

  it('that never ran begins with its newest moment', async () => {
    const { jobs } = workWith()
    expect(
      await jobs.fillSlots([slot('2026-11-18'), slot('2026-11-20'), slot('2026-11-19')], 'cron-0001'),
    ).toHaveLength(1)
    expect(await filled()).toEqual(['daily 2026-11-20'])
  })

  it('makes one job a moment, fired twice and at once', async () => {
    const { jobs } = workWith()
    const fire = () => jobs.fillSlots([slot('2026-11-20')], 'cron-0001')
    const made = await Promise.all([fire(), fire(), fire()])
    expect(made.flat()).toHaveLength(1)
  })

  it('catches up what it missed, once', async () => {
    const { jobs } = workWith()
    await jobs.fillSlots([slot('2026-11-17')], 'cron-0001')
    const late = () => ['2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19'].map(slot)
    expect(await jobs.fillSlots(late(), 'cron-0002')).toHaveLength(2)
    expect(await jobs.fillSlots(late(), 'cron-0003')).toHaveLength(0)
    expect(await filled()).toEqual(['daily 2026-11-17', 'daily 2026-11-18', 'daily 2026-11-19'])
  })
})

describe('what is over', () => {
  it('is purged: done after 30 days, given up after 90', async () => {
    const ago = (days: number) => ({ finished_at: new Date(Date.now() - days * 86_400_000) })
    await newJob({ state: 'done', ...ago(31) })
    await newJob({ state: 'discarded', ...ago(91) })
    const kept = [
      await newJob({ state: 'done', ...ago(29) }),
      await newJob({ state: 'dead', ...ago(89) }),
      await newJob(),
    ]
    expect(await workWith().jobs.purgeExpired()).toBe(2)
    const rows = await sql<{ id: string }>('select id from jobs order by id')
    expect(rows.map(({ id }) => id)).toEqual(kept.toSorted())
  })
})
