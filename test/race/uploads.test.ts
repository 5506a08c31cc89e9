import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { countBy, createApi, inParallel } from '../support/api.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { startStack } from '../support/stack.ts'
import { keptIn, peakOf, residentOf, sendFile, workerdsOf, type Answer } from '../support/upload-load.ts'
import { createDatabase } from './world.ts'

const postgres = await startPostgres()

const isFull = process.env['SELVEDGE_PROOF'] === 'full'
const mebibyte = 1024 * 1024
const size = (isFull ? 50 : 8) * mebibyte
const [raws, forms, aborts, rivals] = isFull ? [20, 8, 200, 40] : [6, 3, 24, 12]

/** Files that an account may have in the race for the quota. */
const room = 5

/** A Worker that does nothing with a body but to put it; what else it is asked, the product answers. */
const bare: Mutation[] = [
  {
    file: 'workers/index.ts',
    remove: '  fetch: serve,',
    put: `  fetch: async (request, env, context) => {
    if (request.method !== 'PUT') return await serve(request, env, context)
    const { etag } = (await env.FILES.put(new URL(request.url).pathname.slice(1), request.body)) ?? {}
    return new Response(etag)
  },`,
  },
]

/** What makes an account's uploads begin one after the other, and what tells an upload in flight from one that is not. */
const withoutGuards: Mutation[] = [
  {
    file: 'src/uploads/repository.ts',
    remove: '      lockOwner(actor),\n      actorGuard(actor),\n',
    put: '      undefined,\n      sql`select pg_sleep(0.2)`,\n',
  },
  { file: 'src/uploads/statements.ts', remove: ' and uploads.expires_at <= now()' },
]

const answered = (answer: Answer | undefined): Answer => {
  if (answer === undefined) throw new Error('It was broken off')
  return answer
}

const codeOf = ({ status, body }: Answer): string =>
  status === 201 ? '201' : `${status} ${JSON.parse(body).error.code}`

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(0)} MB`

const tell = (text: string) => void process.stdout.write(`${text}\n`)

const open = async (url: string, name: string, mutations: Mutation[] = [], files = '100000') => {
  const databaseUrl = await createDatabase(url, name)
  const copy = makeMutant(mutations)
  const stack = await startStack({
    cwd: copy.folder,
    patience: 180_000,
    env: {
      ...{ DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', REDIS_URL: 'off' },
      // Nobody scans: what came in stays where it is, and nothing but its coming costs anything.
      SCANNER_URL: 'tcp://127.0.0.1:1',
      ...{ UPLOAD_QUOTA_BYTES: String(1e12), UPLOAD_QUOTA_FILES: files },
    },
  })
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const api = createApi(stack.api)
  const login = stack.info().logins.find(({ role }) => role === 'admin')
  if (login === undefined) throw new Error('There is no administrator')
  const token = await api.login(login)
  return {
    ...{ stack, api, database, token },
    pids: workerdsOf(stack.info().runtimePids),
    send: async (sent: Omit<Parameters<typeof sendFile>[1], 'token'>) =>
      answered(await sendFile(stack.api, { token, ...sent })),
    /** How many rows there are, and what the store holds. */
    async left() {
      const { rows } = await database.query(
        'select (select count(*) from uploads)::int as uploads, (select count(*) from upload_remains)::int as remains',
      )
      const { objects, unfinished } = keptIn(stack.stateDir)
      return { ...rows[0], objects: objects.length, unfinished }
    },
    sweep: async (dryRun = false) =>
      await api.call('POST', '/api/v1/admin/uploads/sweep', { token, body: { dryRun } }),
    async close() {
      await database.end()
      await stack.stop()
      copy.remove()
    },
  }
}

type World = Awaited<ReturnType<typeof open>>

/** Many begin at the same moment, with room for fewer. */
const raceForRoom = async ({ send }: World) =>
  countBy(await Promise.all(Array.from({ length: rivals }, () => send({ size: 1_000 }))), codeOf)

/** Files that come slowly, while one sweep follows the other. */
const raceWithSweep = async ({ send, sweep }: World) => {
  let isOver = false
  const sweeps = async () => {
    for (; !isOver; await sleep(20)) expect((await sweep()).status).toBe(200)
  }
  const ways = ['raw', 'chunked', 'form'] as const
  const uploads = Promise.all(
    ways.map(async (how) => await send({ size: mebibyte, how, onChunk: async () => await sleep(60) })),
  )
  const answers = uploads.finally(() => (isOver = true))
  await Promise.all([sweeps(), answers.catch(() => undefined)])
  return countBy(await answers, codeOf)
}

if ('unavailable' in postgres) {
  skipOrFail('uploads, on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('uploads through the Worker, on a real PostgreSQL', () => {
    let world: World
    /** Bytes: by how much the memory of a Worker grew that only puts what comes. */
    let bareGrowth = 0
    let before = 0

    beforeAll(async () => {
      const other = await open(postgres.url, 'uploads_bare', bare)
      const put = async (n: number, bytes: number) => {
        const answer = await other.send({ size: bytes, path: `/bare/${n}`, method: 'PUT' })
        expect([answer.status, answer.body]).toEqual([200, answer.md5])
      }
      await put(0, mebibyte)
      const base = residentOf(other.pids)
      const most = await peakOf(other.pids, () =>
        Promise.all(Array.from({ length: raws }, (_, n) => put(n, size))),
      )
      bareGrowth = most - base
      await other.close()
      world = await open(postgres.url, 'uploads')
      for (const how of ['raw', 'form'] as const) await world.send({ size: mebibyte, how })
      before = residentOf(world.pids)
    }, 480_000)
    afterAll(() => world.close())

    it.each([
      ['as bodies', 'raw', raws, 1.3],
      ['as forms', 'form', forms, 2],
    ] as const)(
      'cost, %s, hardly more memory than putting them does, and store what was sent',
      async (_, how, count, factor) => {
        const answers: Answer[] = []
        const started = performance.now()
        const most = await peakOf(world.pids, async () => {
          answers.push(...(await Promise.all(Array.from({ length: count }, () => world.send({ size, how })))))
        })
        const seconds = ((performance.now() - started) / 1_000).toFixed(1)
        tell(
          `${count} × ${megabytes(size)} at once (${how}): + ${megabytes(most - before)} in ${seconds} s; ` +
            `a bare put of ${raws}: + ${megabytes(bareGrowth)}`,
        )
        for (const { status, body, sha256 } of answers) {
          expect(status, body).toBe(201)
          expect(JSON.parse(body).data).toMatchObject({ sha256, size })
        }
        const { rows } = await world.database.query('select etag from uploads where size = $1', [size])
        const etags = rows.map(({ etag }) => etag)
        // R2's ETag of one put is the MD5 of what it stored; of parts it tells how many there are.
        if (how === 'raw') expect(etags.toSorted()).toEqual(answers.map(({ md5 }) => md5).toSorted())
        else {
          const parts = new RegExp(`-${Math.ceil(size / (5 * mebibyte))}$`)
          expect(etags.filter((etag) => parts.test(etag))).toHaveLength(count)
        }
        expect(most - before).toBeLessThanOrEqual(factor * bareGrowth)
      },
    )

    it('are one upload for one id of a client, however many send it at once', async () => {
      const { objects, uploads } = await world.left()
      const headers = { 'X-Upload-Id': randomUUID() }
      const answers = await Promise.all(
        Array.from({ length: rivals }, (_, n) =>
          world.send({ size: 100_000, headers, how: n % 2 ? 'raw' : 'chunked' }),
        ),
      )
      expect(countBy(answers, codeOf)).toEqual({ '201': rivals })
      expect(new Set(answers.map(({ body }) => JSON.parse(body).data.id)).size).toBe(1)
      expect(await world.left()).toMatchObject({ uploads: uploads + 1, objects: objects + 1 })
    })

    it('are never touched by a sweep while they are under way', async () => {
      expect(await raceWithSweep(world)).toEqual({ '201': 3 })
    })

    it(`leave nothing behind when their clients go away, ${aborts} times at any offset`, async () => {
      const was = await world.left()
      const ways = ['raw', 'chunked', 'form'] as const
      const bytes = 12 * mebibyte
      const sent = Array.from({ length: aborts }, (_, n) => ways[n % 3])
      await inParallel(6, sent, async (how = 'raw') => {
        const abortAt = Math.floor(Math.random() * bytes)
        const answer = await sendFile(world.stack.api, { token: world.token, size: bytes, how, abortAt })
        expect(answer).toBeUndefined()
      })
      // Whoever receives notices in its own time, and then clears away what there is.
      const isOver = async () => {
        const { uploads, remains } = await world.left()
        return uploads === was.uploads && remains === 0
      }
      for (let waited = 0; waited < 30_000 && !(await isOver()); waited += 200) await sleep(200)
      expect((await world.sweep()).status).toBe(200)
      expect(await world.left()).toEqual({ ...was, remains: 0, unfinished: 0 })
    })
  })

  describe('the quota of an account, on a real PostgreSQL', () => {
    let world: World
    beforeAll(async () => {
      world = await open(postgres.url, 'uploads_quota', [], String(room))
    }, 240_000)
    afterAll(() => world.close())

    it(`is kept when ${rivals} uploads begin at the same moment`, async () => {
      expect(await raceForRoom(world)).toEqual({ '201': room, '409 QUOTA_EXCEEDED': rivals - room })
      expect(await world.left()).toMatchObject({ uploads: room, objects: room })
    })
  })

  describe('the same without the guards', () => {
    let world: World
    beforeAll(async () => {
      world = await open(postgres.url, 'uploads_unguarded', withoutGuards, String(room))
    }, 240_000)
    afterAll(() => world.close())

    it('exceeds the quota, and sweeps uploads away that are under way', async () => {
      const { '201': taken = 0 } = await raceForRoom(world)
      expect(taken).toBeGreaterThan(room)
      await world.database.query('delete from uploads')
      const { '201': whole = 0 } = await raceWithSweep(world)
      expect(whole).toBeLessThan(3)
    })
  })
}
