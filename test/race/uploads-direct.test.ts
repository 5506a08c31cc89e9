import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createApi } from '../support/api.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { startStack } from '../support/stack.ts'
import { keptIn } from '../support/upload-load.ts'
import { createDatabase } from './world.ts'

const postgres = await startPostgres()

const rounds = process.env['SELVEDGE_PROOF'] === 'full' ? 40 : 6

/** What decides which of two who complete an upload hands it to the job. */
const withoutGuards: Mutation[] = [
  { file: 'src/uploads/repository.ts', remove: " and uploads.state = 'receiving'`,\n        facts: { ...received", put: '`,\n        facts: { ...received' }, // prettier-ignore
  { file: 'src/uploads/statements.ts', remove: ' and ${inStates(predecessorsOf(to))} returning id', put: ' returning id' }, // prettier-ignore
]

const open = async (url: string, name: string, mutations: Mutation[] = []) => {
  const databaseUrl = await createDatabase(url, name)
  const copy = makeMutant(mutations)
  const stack = await startStack({
    cwd: copy.folder,
    patience: 240_000,
    env: {
      ...{ DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', REDIS_URL: 'off', SCANNER_URL: 'off' },
      ...{ UPLOAD_QUOTA_BYTES: String(1e12), UPLOAD_QUOTA_FILES: '100000' },
    },
  })
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const api = createApi(stack.api)
  const login = stack.info().logins.find(({ role }) => role === 'admin')
  if (login === undefined) throw new Error('There is no administrator')
  const token = await api.login(login)
  const post = async (path: string, body: object = {}) => await api.call('POST', path, { token, body })
  return {
    ...{ stack, database, post },
    get: async (path: string) => await api.call('GET', path, { token }),
    remove: async (path: string) => await api.call('DELETE', path, { token }),
    jobsOf: async (id: string): Promise<number> => {
      const { rows } = await database.query(
        `select count(*)::int as jobs from jobs where subject_id = $1 and type = 'upload.process'`,
        [id],
      )
      return rows[0].jobs
    },
    async close() {
      await database.end()
      await stack.stop()
      copy.remove()
    },
  }
}

type World = Awaited<ReturnType<typeof open>>

type Begun = { id: string; complete: () => Promise<number>; end: () => Promise<number> }

const newFile = () => Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(2_000_000)])

/** Sent and not complete. */
const presigned = async ({ post, remove }: World): Promise<Begun> => {
  const bytes = newFile()
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const { body } = await post('/api/v1/uploads/presign', {
    ...{ name: 'a.pdf', type: 'application/pdf', size: bytes.length, sha256 },
  })
  const { id, url, headers } = body.data
  expect((await fetch(url, { method: 'PUT', headers, body: bytes })).status).toBe(200)
  return {
    id,
    complete: async () => (await post(`/api/v1/uploads/${id}/complete`)).status,
    end: async () => (await remove(`/api/v1/uploads/${id}`)).status,
  }
}

const inParts = async ({ get, post, remove }: World): Promise<Begun> => {
  const { body } = await post('/api/v1/uploads/s3/multipart', { filename: 'a.pdf', type: 'application/pdf' })
  const { key, uploadId } = body
  const path = (more = '') =>
    `/api/v1/uploads/s3/multipart/${encodeURIComponent(uploadId)}${more}?key=${encodeURIComponent(key)}`
  const { body: signed } = await get(path('/1'))
  const put = await fetch(signed.url, { method: 'PUT', body: newFile() })
  const parts = [{ PartNumber: 1, ETag: put.headers.get('etag') }]
  return {
    id: key.replace('quarantine/', ''),
    complete: async () => (await post(path('/complete'), { parts })).status,
    end: async () => (await remove(path())).status,
  }
}

/** What is wrong once all have answered: an upload that is there has one job and its bytes, one that is gone has nothing. */
const wrongWith = async ({ database, jobsOf, stack }: World, { id }: Begun): Promise<string[]> => {
  const { rows } = await database.query('select state from uploads where id = $1', [id])
  const objects = keptIn(stack.stateDir).objects.filter((key) => key.includes(id))
  const jobs = await jobsOf(id)
  if (rows.length === 0) return objects.map((key) => `${key} is nobody's`)
  return [
    ...(jobs === 1 ? [] : [`${id} has ${jobs} jobs`]),
    ...(objects.length > 0 ? [] : [`${id} is ${rows[0].state} without bytes`]),
  ]
}

/** A run of the job may have been under way when its upload went: what it wrote it takes away itself, a moment later. */
const settledWith = async (world: World, begun: Begun): Promise<string[]> => {
  const deadline = performance.now() + 15_000
  for (;;) {
    const wrong = await wrongWith(world, begun)
    const mayEnd = wrong.some((line) => line.endsWith("nobody's"))
    if (!mayEnd || performance.now() > deadline) return wrong
    await sleep(200)
  }
}

const raceOf = async (
  world: World,
  begin: (world: World) => Promise<Begun>,
  against: (begun: Begun) => Promise<unknown>,
) => {
  const [wrong, statuses]: [string[], Set<number>] = [[], new Set()]
  for (let round = 0; round < rounds; round++) {
    const begun = await begin(world)
    const [first, second] = await Promise.all([begun.complete(), begun.complete(), against(begun)])
    statuses.add(first).add(second)
    wrong.push(...(await settledWith(world, begun)))
  }
  return { wrong, statuses: [...statuses].toSorted() }
}

if ('unavailable' in postgres) {
  skipOrFail('uploads straight to R2, on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('an upload straight to R2 that two complete at once', () => {
    let world: World | undefined
    afterEach(async () => {
      await world?.close()
      world = undefined
    })

    it('is taken over once, or gone with all of its bytes when it is deleted, aborted or swept meanwhile', async () => {
      world = await open(postgres.url, 'uploads_direct')
      const { database, post } = world
      for (const begin of [presigned, inParts]) {
        const alone = await raceOf(world, begin, () => Promise.resolve())
        expect(alone).toEqual({ wrong: [], statuses: [200] })
        const ended = await raceOf(world, begin, ({ end }) => end())
        expect(ended.wrong).toEqual([])
        expect(ended.statuses.every((status) => [200, 404, 409].includes(status))).toBe(true)
        const swept = await raceOf(world, begin, async ({ id }) => {
          await database.query(
            `update uploads set expires_at = now() where id = $1 and state = 'receiving'`,
            [id],
          )
          expect((await post('/api/v1/admin/uploads/sweep', { dryRun: false })).status).toBe(200)
        })
        expect(swept.wrong).toEqual([])
        expect(swept.statuses.every((status) => [200, 404, 409].includes(status))).toBe(true)
      }
      expect(keptIn(world.stack.stateDir).unfinished).toBe(0)
    })

    it('is taken over twice without its guards: the control', async () => {
      world = await open(postgres.url, 'uploads_direct_control', withoutGuards)
      const { wrong } = await raceOf(world, presigned, () => Promise.resolve())
      expect(wrong).not.toEqual([])
    })
  })
}
