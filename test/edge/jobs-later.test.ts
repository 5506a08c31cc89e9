import { describe, expect, it } from 'vitest'
import { LaterError } from '../../src/shared/later-error.ts'
import { png } from '../support/edge-images.ts'
import { attemptsOf, jobRow, makeDue, newJob, workWith } from '../support/edge-jobs.ts'
import {
  expectSettled,
  historyOf,
  objectsOf,
  pipelineWith,
  quarantined,
  rowOf,
} from '../support/edge-pipeline.ts'
import { sql } from '../support/edge-sql.ts'

const away = () => Promise.reject(new LaterError('The scanner cannot be reached'))

/** As if it had waited for so long already. */
const waitingSince = async (id: string, interval: string) =>
  void (await sql(`update jobs set postponed_since = now() - $2::interval where id = $1`, [id, interval]))

const alerts = async () =>
  await sql<{ payload: { waiting: string; error: string } }>(
    `select payload from jobs where payload ? 'waiting'`,
  )

describe('a job that waits for something that is away', () => {
  it('has not failed, however often it is tried, and is tried less and less often', async () => {
    const id = await newJob()
    const { deliver, buried } = workWith(away)
    const gaps: number[] = []
    for (const waited of ['0 s', '0 s', '1 minute', '4 minutes', '10 hours']) {
      await makeDue(id)
      if (gaps.length > 0) await waitingSince(id, waited)
      const [gap] = await deliver(id)
      gaps.push(Number(gap))
    }
    for (const [n, expected] of [15, 15, 60, 240, 600].entries()) {
      expect(gaps[n]).toBeGreaterThanOrEqual(expected * 0.9 - 1)
      expect(gaps[n]).toBeLessThanOrEqual(expected * 1.1 + 2)
    }
    expect(await jobRow(id)).toMatchObject({
      ...{ state: 'pending', failures: 0, failed: false },
      last_error: 'LaterError: The scanner cannot be reached',
    })
    expect(await attemptsOf(id)).toEqual(Array.from({ length: 5 }, () => 'postponed'))
    expect(buried).toEqual([])
  })

  it('is done like any other once it is back, and begins to count anew', async () => {
    const id = await newJob()
    await workWith(away).deliver(id)
    await makeDue(id)
    await workWith().deliver(id)
    expect(await jobRow(id)).toMatchObject({ state: 'done', failures: 0 })
    const [row] = await sql<{ since: Date | null }>(
      'select postponed_since as since from jobs where id = $1',
      [id],
    )
    expect(row?.since).toBeNull()
  })

  it('fails like any other when it has waited for a day', async () => {
    const id = await newJob()
    const { deliver, buried } = workWith(away)
    await deliver(id)
    await waitingSince(id, '25 hours')
    for (let n = 0; n < 3; n++) {
      await makeDue(id)
      await deliver(id)
    }
    expect(await attemptsOf(id)).toEqual(['postponed', 'failed', 'failed', 'failed'])
    expect(buried).toEqual([id])
  })

  it('makes operators hear of it after ten minutes, once an hour for all jobs of a type', async () => {
    await sql(`delete from jobs where payload ? 'waiting'`)
    const ids = [await newJob(), await newJob()]
    const { deliver } = workWith(away)
    await deliver(...ids)
    expect(await alerts()).toEqual([])
    for (const id of ids) {
      await makeDue(id)
      await waitingSince(id, '11 minutes')
    }
    await deliver(...ids)
    const told = await alerts()
    expect(told.length).toBeGreaterThanOrEqual(1)
    // Two when the hour has struck in between.
    expect(told.length).toBeLessThanOrEqual(2)
    expect(told[0]?.payload).toMatchObject({
      waiting: 'ops.alert',
      error: 'LaterError: The scanner cannot be reached',
    })
  })
})

describe('the job of an upload', () => {
  const begin = async () => {
    const upload = await quarantined(png(2, 2), 'image/png')
    await sql(`update jobs set state = 'pending', lease_until = null where id = $1`, [upload.jobId])
    return upload
  }

  const broken = pipelineWith(() => ({ scanner: { scan: () => Promise.reject(new Error('no verdict')) } }))

  const exhaust = async (jobId: string) => {
    const work = workWith(undefined, { 'upload.process': broken })
    for (let n = 0; n < 3; n++) {
      await makeDue(jobId)
      await work.deliver(jobId)
    }
    return work
  }

  it('that fails three times leaves it failed, in quarantine, and a retry revives it', async () => {
    const upload = await begin()
    const work = await exhaust(upload.jobId)
    expect(await rowOf(upload.id)).toMatchObject({ state: 'scanning' })
    expect(work.buried).toEqual([upload.jobId])
    await work.deliverDead(upload.jobId)
    expect(await rowOf(upload.id)).toMatchObject({ state: 'failed', reason: 'given_up' })
    expect(await objectsOf(upload.id)).toEqual([`quarantine/${upload.id}`])

    await sql(
      `update jobs set state = 'pending', failures = 0, failed_at = null, finished_at = null, run_at = now() where id = $1`,
      [upload.jobId],
    )
    await workWith(undefined, { 'upload.process': pipelineWith() }).deliver(upload.jobId)
    await expectSettled(upload.id, 'ready')
    expect(await historyOf(upload.id)).toEqual([
      ...['receiving', 'scanning', 'failed', 'scanning', 'processing', 'ready'],
    ])
  })

  it('that is given up when a size of it is there goes on from there', async () => {
    const upload = await begin()
    const made: string[] = []
    const failing = pipelineWith(({ images }) => ({
      images: {
        ...images,
        transform(source, variant) {
          made.push(variant)
          return variant === 'medium' ? Promise.reject(new Error('odd')) : images.transform(source, variant)
        },
      },
    }))
    const work = workWith(undefined, { 'upload.process': failing })
    for (let n = 0; n < 3; n++) {
      await makeDue(upload.jobId)
      await work.deliver(upload.jobId)
    }
    await work.deliverDead(upload.jobId)
    expect(made).toEqual(['thumb', 'medium', 'medium', 'medium'])
    expect(await rowOf(upload.id)).toMatchObject({
      state: 'failed',
      scan: 'clean',
      made: { thumb: { width: 150 } },
    })
    await sql(
      `update jobs set state = 'pending', failures = 0, failed_at = null, finished_at = null, run_at = now() where id = $1`,
      [upload.jobId],
    )
    const all: string[] = []
    const whole = pipelineWith(({ images }) => ({
      images: {
        ...images,
        transform: (source, variant) => (all.push(variant), images.transform(source, variant)),
      },
    }))
    await workWith(undefined, { 'upload.process': whole }).deliver(upload.jobId)
    expect(all).toEqual(['medium', 'full'])
    await expectSettled(upload.id, 'ready')
  })

  it('that dies when the upload is ready, while it tidies up, leaves it ready', async () => {
    const upload = await begin()
    const untidy = pipelineWith(({ store }) => ({
      store: { ...store, list: () => Promise.reject(new Error('R2')) },
    }))
    const work = workWith(undefined, { 'upload.process': untidy })
    for (let n = 0; n < 3; n++) {
      await makeDue(upload.jobId)
      await work.deliver(upload.jobId)
    }
    await work.deliverDead(upload.jobId)
    expect((await rowOf(upload.id)).state).toBe('ready')
  })
})
