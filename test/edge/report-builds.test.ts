import { beforeAll, describe, expect, it } from 'vitest'
import { PermanentError } from '../../src/shared/permanent-error.ts'
import { newId } from '../../src/shared/ids.ts'
import {
  askFor,
  builderWith,
  contextOf,
  get,
  jobsOf,
  newOrders,
  objectsOf,
  setJob,
  textOf,
} from '../support/edge-reports.ts'
import { newJob } from '../support/edge-jobs.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

let admin: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
})

const linesOf = async (id: string): Promise<string[]> =>
  (await textOf(admin.token, id, 'csv'))
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split('\r\n')

const header = 'Order,Placed at (UTC),Status,Customer,E-mail,Lines,Units,Total'

describe('building a report', () => {
  it('makes it ready, with its files, and mails every administrator once', async () => {
    const other = await newUser({ role: 'admin' })
    const { id, jobId } = await askFor(admin.token, '2026-06-01')
    const { build, meter } = builderWith()
    await build({ reportId: id }, contextOf(jobId))
    // take, one page, figures, complete
    expect(meter.calls).toBe(4)
    const report = await get(admin.token, id)
    expect(report).toMatchObject({ status: 'ready', progress: 100, error: null })
    expect(report.files).toEqual({
      pdf: { size: expect.any(Number) },
      csv: { size: header.length + 5 },
    })
    expect(report.asOf).not.toBeNull()
    const mails = await jobsOf(id, 'mail.send')
    const recipients = mails.map(({ payload }) => payload)
    for (const { id: userId } of [admin, other]) {
      expect(recipients).toContainEqual({ template: 'reportReady', reportId: id, userId })
    }
    expect(mails.every(({ request_id }) => request_id === 'request-of-the-job')).toBe(true)

    const objects = await objectsOf(id)
    await build({ reportId: id }, contextOf(jobId))
    expect(await get(admin.token, id)).toEqual(report)
    expect(await objectsOf(id)).toEqual(objects)
    expect(await jobsOf(id, 'mail.send')).toEqual(mails)
  })

  it('lists an empty period as a header', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-06-02')
    await builderWith().build({ reportId: id }, contextOf(jobId))
    expect(await linesOf(id)).toEqual([header])
  })

  it('lists the orders of its days and no others, page by page', async () => {
    const { id: userId, email } = await newUser({ name: 'Zoë "Z", =Ω' })
    const at = ['2026-06-09T23:59:59.999Z', '2026-06-10T00:00:00.000Z', '2026-06-10T12:00:00.000Z']
    const same = ['2026-06-10T12:00:00.000Z', '2026-06-11T23:59:59.999Z', '2026-06-12T00:00:00.000Z']
    const ids = await newOrders([...at, ...same].map((createdAt) => ({ userId, createdAt })))
    const { id, jobId } = await askFor(admin.token, '2026-06-10', '2026-06-11')
    const { build, meter } = builderWith(() => ({ pageSize: 2 }))
    await build({ reportId: id }, contextOf(jobId))
    expect(meter.calls).toBe(6)
    const [head, ...lines] = await linesOf(id)
    expect(head).toBe(header)
    expect(lines.map((line) => line.slice(0, 36)).toSorted()).toEqual(ids.slice(1, 5).toSorted())
    expect(lines[0]).toBe(`${ids[1]},2026-06-10T00:00:00.000Z,pending,"Zoë ""Z"", =Ω",${email},0,0,10.00`)
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\uFF1D1+1', '=HYPERLINK("http://evil.example","x")'])(
    'writes %j, a name, as text and not as a formula',
    async (name) => {
      const { id: userId } = await newUser({ name })
      const [orderId] = await newOrders([{ userId, createdAt: '2026-06-20T10:00:00.000Z' }])
      const { id, jobId } = await askFor(admin.token, '2026-06-20')
      await builderWith().build({ reportId: id }, contextOf(jobId))
      const line = (await linesOf(id)).find((one) => one.startsWith(String(orderId)))
      expect(line).toContain(name.includes('"') ? `,"'${name.replaceAll('"', '""')}",` : `,'${name},`)
    },
  )

  it('tells the status of the instant, although orders move while they are read', async () => {
    const createdAt = '2026-07-01T10:00:00.000Z'
    const orders = Array.from({ length: 4 }, () => ({ userId: admin.id, createdAt, total: '5.00' }))
    const ids = await newOrders(orders)
    const { id, jobId } = await askFor(admin.token, '2026-07-01')
    const { build } = builderWith(({ reports }) => ({
      pageSize: 2,
      reports: {
        ...reports,
        async page(taken, after, limit, progress) {
          if (after !== undefined && after.id === ids[1]) {
            await sql(`update orders set status = 'paid', updated_at = now() where created_at = $1`, [
              createdAt,
            ])
            await sql(
              `insert into order_status_history (order_id, actor_id, from_status, to_status)
                select id, user_id, 'pending', 'paid' from orders where created_at = $1`,
              [createdAt],
            )
          }
          return await reports.page(taken, after, limit, progress)
        },
      },
    }))
    await build({ reportId: id }, contextOf(jobId))
    expect((await linesOf(id)).filter((line) => line.includes(',pending,'))).toHaveLength(4)
    const again = await askFor(admin.token, '2026-07-01')
    await builderWith().build({ reportId: again.id }, contextOf(again.jobId))
    expect((await linesOf(again.id)).filter((line) => line.includes(',paid,'))).toHaveLength(4)
  })

  it('fails rather than have list and figures disagree', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-02')
    const { build } = builderWith(({ reports }) => ({
      reports: {
        ...reports,
        async figures(taken) {
          await newOrders([{ userId: admin.id, createdAt: '2026-07-02T10:00:00.000Z' }])
          return await reports.figures(taken)
        },
      },
    }))
    await expect(build({ reportId: id }, contextOf(jobId))).rejects.toThrow('An order changed')
    expect(await get(admin.token, id)).toMatchObject({ status: 'pending', files: null })
    expect(await objectsOf(id)).toEqual([])
  })

  it('gives the report back when it fails, and succeeds at the next attempt', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-03')
    const { build } = builderWith(() => ({ fonts: () => Promise.reject(new Error('secret path')) }))
    await expect(build({ reportId: id }, contextOf(jobId))).rejects.toThrow('secret path')
    expect(await get(admin.token, id)).toMatchObject({
      ...{ status: 'pending', files: null, error: `Unexpected; the log has it under job ${jobId}` },
    })
    expect(await objectsOf(id)).toEqual([])
    await builderWith().build({ reportId: id }, contextOf(jobId))
    expect(await get(admin.token, id)).toMatchObject({ status: 'ready', error: null })
    expect(await objectsOf(id)).toHaveLength(2)
  })

  it('stops when its time is up', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-04')
    const signal = AbortSignal.abort(new Error('lease lost'))
    await expect(builderWith().build({ reportId: id }, contextOf(jobId, signal))).rejects.toThrow(
      'lease lost',
    )
    expect(await objectsOf(id)).toEqual([])
  })

  it('leaves a ready report alone when it comes late, and takes its own files away', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-05')
    let files: string[] = []
    const late = builderWith(({ store }) => ({
      store: {
        ...store,
        async put(key, type, bytes) {
          const stored = await store.put(key, type, bytes)
          await builderWith().build({ reportId: id }, contextOf(jobId))
          files = await objectsOf(id)
          return stored
        },
      },
    }))
    await late.build({ reportId: id }, contextOf(jobId))
    const left = await objectsOf(id)
    expect(left).toHaveLength(2)
    expect(files).toEqual(expect.arrayContaining(left))
    expect((await textOf(admin.token, id, 'csv')).length).toBeGreaterThan(0)
    expect((await get(admin.token, id)).status).toBe('ready')
  })

  it('stops between two pages when another run has taken over', async () => {
    await newOrders(
      Array.from({ length: 4 }, () => ({ userId: admin.id, createdAt: '2026-07-06T10:00:00.000Z' })),
    )
    const { id, jobId } = await askFor(admin.token, '2026-07-06')
    let pages = 0
    const late = builderWith(({ reports }) => ({
      pageSize: 1,
      reports: {
        ...reports,
        async page(...args) {
          pages += 1
          if (pages === 2) await builderWith().build({ reportId: id }, contextOf(jobId))
          return await reports.page(...args)
        },
      },
    }))
    await late.build({ reportId: id }, contextOf(jobId))
    expect(pages).toBe(2)
    expect(await objectsOf(id)).toHaveLength(2)
    expect(await linesOf(id)).toHaveLength(5)
  })

  it('is tried again when a late attempt of the same job has taken hold and then stops', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-10')
    const overtaken = builderWith(({ reports }) => ({
      reports: {
        ...reports,
        async page(...args) {
          const late = builderWith().build({ reportId: id }, contextOf(jobId, AbortSignal.abort()))
          await expect(late).rejects.toThrow()
          return await reports.page(...args)
        },
      },
    }))
    await expect(overtaken.build({ reportId: id }, contextOf(jobId))).rejects.toThrow('Another run')
    expect(await get(admin.token, id)).toMatchObject({ status: 'pending' })
    await builderWith().build({ reportId: id }, contextOf(jobId))
    expect((await get(admin.token, id)).status).toBe('ready')
    expect(await objectsOf(id)).toHaveLength(2)
  })

  it('takes away what an attempt that died has left', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-07')
    const dying = builderWith(({ reports, store }) => ({
      reports: { ...reports, release: () => Promise.reject(new Error('the database is away')) },
      store: { ...store, remove: () => Promise.resolve(), put: () => Promise.reject(new Error('killed')) },
    }))
    await expect(dying.build({ reportId: id }, contextOf(jobId))).rejects.toThrow()
    expect(await objectsOf(id)).toHaveLength(1)
    expect((await get(admin.token, id)).status).toBe('running')
    await builderWith().build({ reportId: id }, contextOf(jobId))
    expect(await objectsOf(id)).toHaveLength(2)
    expect((await get(admin.token, id)).status).toBe('ready')
  })

  it('keeps the files of a report that was made ready although nobody was told', async () => {
    const { id, jobId } = await askFor(admin.token, '2026-07-08')
    const { build } = builderWith(({ reports }) => ({
      reports: {
        ...reports,
        async complete(...args) {
          await reports.complete(...args)
          throw new Error('the answer got lost')
        },
      },
    }))
    await expect(build({ reportId: id }, contextOf(jobId))).rejects.toThrow('the answer got lost')
    expect((await get(admin.token, id)).status).toBe('ready')
    expect(await objectsOf(id)).toHaveLength(2)
  })

  it('gives up at once when there is no such report', async () => {
    const missing = builderWith().build({ reportId: newId() }, contextOf(newId()))
    await expect(missing).rejects.toBeInstanceOf(PermanentError)
  })

  it('tells how far it is', async () => {
    await newOrders(
      Array.from({ length: 4 }, () => ({ userId: admin.id, createdAt: '2026-07-09T10:00:00.000Z' })),
    )
    const { id, jobId } = await askFor(admin.token, '2026-07-09')
    const seen: [string, number][] = []
    const { build } = builderWith(({ reports }) => ({
      pageSize: 2,
      reports: {
        ...reports,
        async page(...args) {
          const rows = await reports.page(...args)
          const { status, progress } = await get(admin.token, id)
          seen.push([status, progress])
          return rows
        },
      },
    }))
    await build({ reportId: id }, contextOf(jobId))
    expect(seen).toEqual([
      ['running', 0],
      ['running', 45],
      ['running', 90],
    ])
  })
})

describe('the daily report', () => {
  const dailyJob = async (): Promise<string> => {
    const lease_until = new Date(Date.now() + 30_000)
    return await newJob({ type: 'report.daily', state: 'running', lease_until, payload: {} })
  }

  const reportsOf = async (day: string) =>
    await sql<{ id: string; status: string; requested_by: string | null; current: boolean }>(
      'select id, status, requested_by, current from reports where first_day = $1 and last_day = $1 order by created_at',
      [day],
    )

  it('is made once a day, whatever the schedule does', async () => {
    const { daily } = builderWith()
    const [first, second] = [await dailyJob(), await dailyJob()]
    await daily({ day: '2026-08-01' }, contextOf(first))
    const made = await reportsOf('2026-08-01')
    expect(made).toEqual([{ id: first, status: 'ready', requested_by: null, current: true }])
    await daily({ day: '2026-08-01' }, contextOf(first))
    await daily({ day: '2026-08-01' }, contextOf(second))
    expect(await reportsOf('2026-08-01')).toEqual(made)
  })

  it('is left to the job that a person has asked for it by', async () => {
    const { id } = await askFor(admin.token, '2026-08-02')
    await builderWith().daily({ day: '2026-08-02' }, contextOf(await dailyJob()))
    expect(await reportsOf('2026-08-02')).toMatchObject([{ id, status: 'pending' }])
  })

  it('takes the place of one that has failed', async () => {
    const { id } = await askFor(admin.token, '2026-08-03')
    await setJob(id, 'dead')
    const job = await dailyJob()
    await builderWith().daily({ day: '2026-08-03' }, contextOf(job))
    expect(await reportsOf('2026-08-03')).toMatchObject([
      { id, current: false },
      { id: job, status: 'ready', current: true },
    ])
  })

  it('of today is made and answers for nothing; of tomorrow it is refused', async () => {
    const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10)
    const job = await dailyJob()
    await builderWith().daily({ day: day(0) }, contextOf(job))
    expect(await reportsOf(day(0))).toMatchObject([{ id: job, status: 'ready', current: false }])
    const ahead = builderWith().daily({ day: day(1) }, contextOf(await dailyJob()))
    await expect(ahead).rejects.toBeInstanceOf(PermanentError)
    expect(await reportsOf(day(1))).toEqual([])
  })
})
