import { env } from 'cloudflare:workers'
import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createDatabase } from '../../src/db/client.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { createUploadRepository } from '../../src/uploads/repository.ts'
import { SweepOutcome } from '../../src/uploads/schema.ts'
import { createDiscard } from '../../src/uploads/service/discard.ts'
import { createUploadSweeper } from '../../src/uploads/service/sweep.ts'
import { createUploadStore } from '../../src/uploads/store.ts'
import { createSweepPlace } from '../../src/uploads/sweep-place.ts'
import { createSweepRepository } from '../../src/uploads/sweep-repository.ts'
import { startOnce } from '../../workers/api.ts'
import { runSchedule } from '../../workers/jobs.ts'
import { api } from '../support/edge-api.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { insert, sql } from '../support/edge-sql.ts'
import { fileOf, objectKeys, sendRaw, uploadOf } from '../support/edge-uploads.ts'

let user: TestUser
let admin: TestUser

beforeAll(async () => {
  user = await newUser()
  admin = await newUser({ role: 'admin' })
})

beforeEach(async () => {
  await sql('truncate product_images, conversation_files, uploads, upload_events, upload_remains')
  const { objects } = await env.FILES.list()
  if (objects.length > 0) await env.FILES.delete(objects.map(({ key }) => key))
})

const day = 24 * 60 * 60_000

/** The sweeper as the Worker has it, `later` so many milliseconds from now, and the calls to the database it makes. */
const sweeperWith = ({ later = 0, pageSize = 1_000, now = () => Date.now() + later } = {}) => {
  const { log } = startOnce(env)
  const meter = newMeter()
  const database = createDatabase(readConfig(env).database, { log, meter })
  const store = createUploadStore(env.FILES)
  const { sweep, sweepFor } = createUploadSweeper({
    sweeps: createSweepRepository(database),
    store,
    place: createSweepPlace(env.FILES),
    discard: createDiscard({ uploads: createUploadRepository(database), store }),
    ...{ requestId: 'a-sweep', log, pageSize, now },
  })
  return { sweep, sweepFor, meter }
}

const whole = {
  ...{ expires_at: null, media_type: 'image/png', size: 1, etag: 'a', sha256: 'ab'.repeat(32) },
}

/** A row as it is in this state, last changed two hours ago, and no object. */
const newRow = async (state: string, change: object = {}): Promise<string> => {
  const id = newId()
  const of: Record<string, object> = {
    receiving: { expires_at: new Date(Date.now() + 60_000).toISOString() },
    scanning: { ...whole, job_id: newId() },
    processing: { ...whole, job_id: newId(), scan: 'clean' },
    ready: { ...whole, job_id: newId(), scan: 'clean', variants: {} },
    infected: { ...whole, signature: 'Eicar' },
    rejected: { ...whole, reason: 'too_large' },
    failed: { ...whole, reason: 'given_up' },
  }
  const before = new Date(Date.now() - 2 * 60 * 60_000).toISOString()
  await insert('uploads', [
    {
      ...{
        id,
        owner_id: user.id,
        name: 'a.png',
        declared_type: 'image/png',
        reserved: 1,
        way: 'direct',
        state,
      },
      ...{ created_at: before, updated_at: before, ...of[state], ...change },
    },
  ])
  return id
}

const put = async (key: string): Promise<string> => {
  await env.FILES.put(key, 'x')
  return key
}

const ready = async (): Promise<{ id: string; keys: string[] }> => {
  const id = await newRow('ready')
  const keys = ['full', 'medium', 'thumb'].map((name) => `files/${id}/${name}/${newId()}`)
  for (const key of keys) await put(key)
  const variants = Object.fromEntries(keys.map((key) => [key.split('/')[2], { key, type: 'x', size: 1 }]))
  await sql('update uploads set variants = $2::jsonb where id = $1', [id, JSON.stringify(variants)])
  return { id, keys }
}

const stateOf = async (id: string) =>
  (
    await sql<{ state: string; reason: string | null }>('select state, reason from uploads where id = $1', [
      id,
    ])
  )[0]

const ask = async (token: string | undefined, body: object) =>
  await api('POST', '/api/v1/admin/uploads/sweep', { token, body })

describe('the sweep', () => {
  it('takes objects without a row away, when they are older than a day and not before', async () => {
    const keys = [
      await put(`quarantine/${newId()}`),
      await put(`files/${newId()}/thumb/${newId()}`),
      await put('quarantine/of-nobody'),
    ]
    const early = await sweeperWith({ later: day - 60_000 }).sweep()
    expect(early).toMatchObject({ objects: 3, orphans: { count: 0 } })
    const { orphans } = await sweeperWith({ later: day + 60_000 }).sweep()
    expect(orphans.count).toBe(3)
    expect(orphans.samples.toSorted()).toEqual(keys.toSorted())
    expect(await objectKeys()).toEqual([])
  })

  it('leaves what lies under other prefixes alone', async () => {
    await put('reports/a/b.pdf')
    expect(await sweeperWith({ later: 9 * day }).sweep()).toMatchObject({ objects: 0 })
    expect(await env.FILES.head('reports/a/b.pdf')).not.toBeNull()
  })

  it.each([
    ['receiving', true],
    ['scanning', true],
    ['processing', true],
    ['failed', true],
    ['ready', false],
    ['infected', false],
    ['rejected', false],
  ])('of an upload that is %s, keeps the object in quarantine: %s', async (state, keeps) => {
    const key = await put(`quarantine/${await newRow(state)}`)
    await sweeperWith({ later: 9 * day }).sweep()
    expect(await objectKeys()).toEqual(keeps ? [key] : [])
  })

  it('keeps the variants that a row names, and those that a run may be making', async () => {
    const { id, keys } = await ready()
    await put(`files/${id}/full/${newId()}`)
    const underWay = await newRow('processing')
    const [quarantine, made] = [
      await put(`quarantine/${underWay}`),
      await put(`files/${underWay}/full/${newId()}`),
    ]
    const { orphans, missing } = await sweeperWith({ later: 9 * day }).sweep()
    expect([orphans.count, missing.count]).toEqual([1, 0])
    expect(await objectKeys()).toEqual([...keys, quarantine, made].toSorted())
  })

  it('marks what has lost its object, but not what was changed within the hour', async () => {
    const lost = await newRow('scanning')
    const young = await newRow('scanning', { updated_at: new Date().toISOString() })
    const { id, keys } = await ready()
    await env.FILES.delete(keys[1] ?? '')
    const { missing } = await sweeperWith().sweep()
    expect(missing.count).toBe(2)
    expect(await stateOf(lost)).toEqual({ state: 'failed', reason: 'object_missing' })
    expect(await stateOf(id)).toEqual({ state: 'failed', reason: 'object_missing' })
    expect(await stateOf(young)).toMatchObject({ state: 'scanning' })
    const [event] = await sql('select state from upload_events where upload_id = $1', [lost])
    expect(event).toEqual({ state: 'failed' })
  })

  it('gives up what nobody sends any more, and aborts its multipart upload', async () => {
    const key = (id: string) => `quarantine/${id}`
    const stale = await newRow('receiving', { expires_at: new Date(Date.now() - 1_000).toISOString() })
    const upload = await env.FILES.createMultipartUpload(key(stale))
    const part = await upload.uploadPart(1, new Uint8Array(10))
    await sql('update uploads set multipart_id = $2 where id = $1', [stale, upload.uploadId])
    const inFlight = await newRow('receiving')
    const live = await env.FILES.createMultipartUpload(key(inFlight))
    await sql('update uploads set multipart_id = $2 where id = $1', [inFlight, live.uploadId])

    const { stale: found } = await sweeperWith().sweep()
    expect(found).toEqual({ count: 1, samples: [stale] })
    expect(await stateOf(stale)).toBeUndefined()
    await expect(upload.complete([part])).rejects.toThrow()
    expect(await stateOf(inFlight)).toMatchObject({ state: 'receiving' })
    await live.complete([await live.uploadPart(1, new Uint8Array(10))])
    expect(await sql('select * from upload_remains')).toEqual([])
  })

  it('finishes what whoever deleted a row has left', async () => {
    const id = newId()
    await put(`quarantine/${id}`)
    await put(`files/${id}/full/${newId()}`)
    await insert('upload_remains', [{ upload_id: id, at: new Date(Date.now() - 11 * 60_000).toISOString() }])
    const another = newId()
    await insert('upload_remains', [{ upload_id: another, at: new Date().toISOString() }])
    expect((await sweeperWith().sweep()).remains).toEqual({ count: 1, samples: [id] })
    expect(await objectKeys()).toEqual([])
    expect(await sql('select upload_id from upload_remains')).toEqual([{ upload_id: another }])
  })

  it('asks the database once for each page of a listing, wherever the page ends', async () => {
    const kept = []
    for (let n = 0; n < 4; n++) kept.push(...(await ready()).keys)
    for (let n = 0; n < 3; n++) kept.push(await put(`quarantine/${await newRow('scanning')}`))
    for (const pageSize of [1, 2, 5]) {
      const { sweep, meter } = sweeperWith({ later: 9 * day, pageSize })
      const outcome = await sweep()
      expect(outcome).toMatchObject({ objects: 15, orphans: { count: 0 }, missing: { count: 0 } })
      expect(meter.calls).toBe(3 + Math.ceil(12 / pageSize) + Math.ceil(3 / pageSize))
    }
    expect(await objectKeys()).toEqual(kept.toSorted())
    await env.FILES.delete(kept[1] ?? '')
    expect((await sweeperWith({ pageSize: 1 }).sweep()).missing).toEqual({ count: 1, samples: [kept[1]] })
  })
})

describe('a sweep whose time is up', () => {
  /** Each look at the clock takes a minute: there is time for about eight of them. */
  const hurried = () => {
    let now = Date.now() + 9 * day
    return sweeperWith({ pageSize: 1, now: () => (now += 60_000) })
  }

  it('is gone on with by the next one, where it had to stop, and every object is looked at once', async () => {
    const kept: string[] = []
    for (let n = 0; n < 3; n++)
      kept.push(...(await ready()).keys, await put(`quarantine/${await newRow('scanning')}`))
    for (let n = 0; n < 4; n++) await put(`quarantine/${newId()}`)
    const outcomes = [await hurried().sweep()]
    while (outcomes.at(-1)?.isComplete === false && outcomes.length < 10)
      outcomes.push(await hurried().sweep())
    expect(outcomes.length).toBeGreaterThan(2)
    expect(outcomes.at(-1)?.isComplete).toBe(true)
    const sum = (of: (outcome: SweepOutcome) => number) => outcomes.map(of).reduce((a, b) => a + b)
    expect(sum(({ objects }) => objects)).toBe(kept.length + 4)
    expect(sum(({ orphans }) => orphans.count)).toBe(4)
    expect(sum(({ missing }) => missing.count)).toBe(0)
    expect(await objectKeys()).toEqual(kept.toSorted())
    expect((await sweeperWith().sweep()).objects).toBe(kept.length)
  })

  it('is no reason for an administrator to begin anywhere but at the beginning', async () => {
    for (let n = 0; n < 12; n++) await put(`quarantine/${newId()}`)
    expect((await hurried().sweep()).isComplete).toBe(false)
    const left = (await objectKeys()).filter((key) => key.startsWith('quarantine/')).length
    expect((await ask(admin.token, { dryRun: true })).data).toMatchObject({ objects: left, isComplete: true })
    expect((await hurried().sweep()).objects).toBeLessThan(left)
  })

  it('starts anew when nobody understands where the last one stopped', async () => {
    await env.FILES.put('sweep/place', '{"prefix":"elsewhere/"}')
    await put(`quarantine/${newId()}`)
    expect(await sweeperWith().sweep()).toMatchObject({ objects: 1, isComplete: true })
    expect(await env.FILES.head('sweep/place')).toBeNull()
  })
})

describe('uploads of a deleted account', () => {
  const deleteOwner = async (interval: string): Promise<void> =>
    void (await sql('update users set deleted_at = now() - $2::interval where id = $1', [user.id, interval]))
  afterEach(async () => void (await sql('update users set deleted_at = null where id = $1', [user.id])))

  it('go after a month, with their objects', async () => {
    const { keys } = await ready()
    const underWay = await put(`quarantine/${await newRow('scanning')}`)
    await deleteOwner('29 days')
    expect((await sweeperWith().sweep()).ownerless.count).toBe(0)
    await deleteOwner('31 days')
    expect((await ask(admin.token, { dryRun: true })).data).toMatchObject({ ownerless: { count: 1 } })
    expect(await objectKeys()).toEqual([...keys, underWay].toSorted())
    expect((await sweeperWith().sweep()).ownerless.count).toBe(1)
    expect(await objectKeys()).toEqual([underWay])
  })

  it('stay while a product shows them', async () => {
    const { id, keys } = await ready()
    const product = await newProduct({ categoryId: (await newCategory()).id })
    await insert('product_images', [{ product_id: product.id, upload_id: id, position: 0 }])
    await deleteOwner('31 days')
    expect((await sweeperWith().sweep()).ownerless.count).toBe(0)
    expect(await objectKeys()).toEqual(keys.toSorted())
  })
})

describe('an administrator', () => {
  it('is told what a sweep would do, and nothing is changed', async () => {
    const stale = await newRow('receiving', { expires_at: new Date(Date.now() - 1_000).toISOString() })
    const lost = await newRow('scanning')
    const reply = await ask(admin.token, { dryRun: true })
    expect(reply.status).toBe(200)
    expect(SweepOutcome.parse(reply.data)).toMatchObject({
      ...{ dryRun: true, isComplete: true, stale: { count: 1, samples: [stale] } },
      missing: { count: 1, samples: [`quarantine/${lost}`] },
    })
    expect(await stateOf(stale)).toMatchObject({ state: 'receiving' })
    expect(await stateOf(lost)).toMatchObject({ state: 'scanning' })
  })

  it('can have it done at once, which the audit tells', async () => {
    await newRow('receiving', { expires_at: new Date(Date.now() - 1_000).toISOString() })
    const before = await sql('select from audit_events')
    expect((await ask(admin.token, { dryRun: false })).data).toMatchObject({ stale: { count: 1 } })
    expect(await sql('select from uploads')).toEqual([])
    const audit = await sql(`select actor_id, action from audit_events where action = 'uploads.swept'`)
    expect(audit).toEqual([{ actor_id: admin.id, action: 'uploads.swept' }])
    expect(await sql('select from audit_events')).toHaveLength(before.length + 1)
  })

  it('is who may do it, and nobody else', async () => {
    expect((await ask(user.token, { dryRun: true })).status).toBe(403)
    expect((await ask(undefined, { dryRun: true })).status).toBe(401)
    expect((await ask(admin.token, { dryRun: 'no' })).status).toBe(422)
  })
})

describe('the hourly cron', () => {
  it('sweeps', async () => {
    await newRow('receiving', { expires_at: new Date(Date.now() - 1_000).toISOString() })
    await runSchedule(createScheduledController({ cron: '17 * * * *' }), env, createExecutionContext())
    expect(await sql('select from uploads')).toEqual([])
  })
})

describe('an upload whose objects could not be deleted with its row', () => {
  it('is healed by the sweep', async () => {
    const { id } = uploadOf(await sendRaw(user.token, fileOf('image/png', 100)))
    const database = createDatabase(readConfig(env).database, { log: startOnce(env).log, meter: newMeter() })
    // The row is gone, and whoever deleted it died before the objects were.
    const actor = { kind: 'user', id: user.id, role: 'user', sessionId: user.sessionId } as const
    await createUploadRepository(database).remove(actor, id)
    expect(await objectKeys()).toEqual([`quarantine/${id}`])
    await sql(`update upload_remains set at = now() - interval '11 minutes'`)
    await sweeperWith().sweep()
    expect(await objectKeys()).toEqual([])
  })
})
