import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { sleep } from '../../src/shared/backoff.ts'

const limit = (points: number, windowMs = 60_000, name = 'login') => ({ name, points, windowMs })

const newWindow = () => env.SLIDING_WINDOWS.getByName(`test:${newId()}`)

type Stub = ReturnType<typeof newWindow>

/** What is on the disk: rows, and whether an alarm is set. */
const onDisk = (stub: Stub) =>
  runInDurableObject(stub, async (_, { storage }) => ({
    rows: [...storage.kv.list()].length,
    alarm: await storage.getAlarm(),
  }))

const admit = async (stub: Stub, limits: ReturnType<typeof limit>[], times = 1) => {
  const takens = []
  for (let n = 0; n < times; n++) takens.push(await stub.take({ limits }))
  return takens
}

describe('an object that is evicted in mid-window', () => {
  it('knows every admission, and when the next may come', async () => {
    const stub = newWindow()
    await admit(stub, [limit(5)], 3)
    await evictDurableObject(stub)
    const [fourth, fifth, before] = await admit(stub, [limit(5)], 3)
    expect([fourth?.admitted, fifth?.admitted, before?.admitted]).toEqual([true, true, false])
    await evictDurableObject(stub)
    const [after] = await admit(stub, [limit(5)])
    expect(after?.admitted).toBe(false)
    expect(after?.verdicts[0]?.resetAt).toBe(before?.verdicts[0]?.resetAt)
  })

  it('knows what was given back', async () => {
    const stub = newWindow()
    const [first] = await admit(stub, [limit(2), limit(2, 60_000, 'global')], 2)
    await stub.giveBack({ policies: ['login'], at: first!.at })
    await evictDurableObject(stub)
    expect((await stub.take({ limits: [limit(2)] })).admitted).toBe(true)
    expect((await stub.take({ limits: [limit(2, 60_000, 'global')] })).admitted).toBe(false)
  })

  it('refuses what a lower limit of the next deploy refuses', async () => {
    const stub = newWindow()
    await admit(stub, [limit(5)], 4)
    await evictDurableObject(stub)
    expect((await stub.take({ limits: [limit(3)] })).admitted).toBe(false)
    expect((await stub.take({ limits: [limit(6)] })).verdicts[0]?.remaining).toBe(1)
  })
})

describe('simultaneous calls', () => {
  it('are admitted up to the limit', async () => {
    const stub = newWindow()
    const takens = await Promise.all(Array.from({ length: 200 }, () => stub.take({ limits: [limit(50)] })))
    expect(takens.filter(({ admitted }) => admitted)).toHaveLength(50)
    expect(takens.map(({ verdicts }) => verdicts[0]?.remaining).filter((left) => left === 49)).toHaveLength(1)
  })
})

describe('the alarm', () => {
  it('leaves nothing behind when nothing counts any more', async () => {
    const stub = newWindow()
    await admit(stub, [limit(5, 20), limit(5, 30, 'global')], 2)
    expect(await onDisk(stub)).toEqual({ rows: 2, alarm: expect.any(Number) })
    await sleep(40)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await onDisk(stub)).toEqual({ rows: 0, alarm: null })
    expect((await stub.take({ limits: [limit(5, 20)] })).verdicts[0]?.remaining).toBe(4)
    expect(await onDisk(stub)).toEqual({ rows: 1, alarm: expect.any(Number) })
  })

  it('is set again while something counts, after an eviction too', async () => {
    const stub = newWindow()
    await admit(stub, [limit(5)])
    await evictDurableObject(stub)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    const { rows, alarm } = await onDisk(stub)
    expect(rows).toBe(1)
    expect(alarm).toBeGreaterThan(Date.now() + 60_000)
    expect((await stub.take({ limits: [limit(5)] })).verdicts[0]?.remaining).toBe(3)
  })

  it('that was lost is set by the next admission', async () => {
    const stub = newWindow()
    await admit(stub, [limit(5)])
    await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm())
    await evictDurableObject(stub)
    await admit(stub, [limit(5)])
    expect((await onDisk(stub)).alarm).not.toBeNull()
  })
})

describe('storage', () => {
  it('is written by admissions only', async () => {
    const stub = newWindow()
    await admit(stub, [limit(1)])
    const pages = () => runInDurableObject(stub, (_, { storage }) => [...storage.kv.list()])
    const before = await pages()
    const [denied] = await admit(stub, [limit(1), limit(9, 60_000, 'global')])
    expect(denied?.admitted).toBe(false)
    expect(await pages()).toEqual(before)
  })

  it('of 10,000 admissions an hour is bounded, and is read again whole', async () => {
    const stub = newWindow()
    const hourly = limit(10_000, 3_600_000)
    await runInDurableObject(stub, async (object) => {
      for (let n = 0; n < 10_000; n++) await object.take({ limits: [hourly] })
    })
    await evictDurableObject(stub)
    const denied = await stub.take({ limits: [hourly] })
    expect([denied.admitted, denied.verdicts[0]?.remaining]).toEqual([false, 0])
    const size = await runInDurableObject(stub, (_, { storage }) => storage.sql.databaseSize)
    expect(size).toBeLessThan(300_000)
    expect((await onDisk(stub)).rows).toBe(Math.ceil(10_000 / 64))
  })
})
