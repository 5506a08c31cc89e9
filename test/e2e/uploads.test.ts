import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi, inParallel } from '../support/api.ts'
import { makeMutant } from '../support/mutant.ts'
import { startStack } from '../support/stack.ts'
import { growthOf, keptIn, sendFile, workerdsOf, type Answer } from '../support/upload-load.ts'

const full = process.env['SELVEDGE_PROOF'] === 'full'

const mebibyte = 1024 * 1024

const size = (full ? 50 : 8) * mebibyte
const [raws, forms, aborts] = full ? [20, 8, 200] : [6, 4, 20]

const env = { LOG_LEVEL: 'warn', UPLOAD_QUOTA_BYTES: String(20_000 * mebibyte), UPLOAD_QUOTA_FILES: '100000' }

/** The same stack, whose Worker does nothing with a body but to put it. */
const bare = () =>
  makeMutant([
    {
      file: 'workers/index.ts',
      remove: '  fetch: serve,',
      put: `  fetch: async (request, env, context) => {
    if (request.method !== 'PUT') return await serve(request, env, context)
    const { etag } = (await env.FILES.put(new URL(request.url).pathname.slice(1), request.body)) ?? {}
    return new Response(etag)
  },`,
    },
  ])

const answered = (answer: Answer | undefined): Answer => {
  if (answer === undefined) throw new Error('It was broken off')
  return answer
}

const open = async (cwd?: string) => {
  const stack = await startStack({ env, ...(cwd && { cwd }) })
  const api = createApi(stack.api)
  const [login] = stack.info().logins.filter(({ role }) => role === 'admin')
  if (login === undefined) throw new Error('There is no administrator')
  return { stack, api, token: await api.login(login), pids: workerdsOf(stack.info().runtimePids) }
}

type World = Awaited<ReturnType<typeof open>>

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(0)} MB`

const tell = (text: string) => process.stdout.write(`${text}\n`)

describe(`${raws} files of ${size / mebibyte} MiB at once`, () => {
  let most: number

  beforeAll(async () => {
    const copy = bare()
    const world = await open(copy.folder)
    try {
      const put = async (n: number, bytes: number) => {
        const path = `/bare/${n}`
        const answer = answered(
          await sendFile(world.stack.api, { token: '', size: bytes, path, method: 'PUT' }),
        )
        expect([answer.status, answer.body]).toEqual([200, answer.md5])
      }
      await put(0, mebibyte)
      most = await growthOf(world.pids, () =>
        Promise.all(Array.from({ length: raws }, (_, n) => put(n, size))),
      )
    } finally {
      await world.stack.stop()
      copy.remove()
    }
  }, 300_000)

  /** All that came in, with what the row and the store say of it. */
  const send = async ({ stack, token }: World, how: 'raw' | 'form', bytes: number) => {
    const answer = answered(await sendFile(stack.api, { token, size: bytes, how }))
    expect(answer.status, answer.body).toBe(201)
    const { id, sha256 } = JSON.parse(answer.body).data
    expect(sha256).toBe(answer.sha256)
    return { id: String(id), md5: answer.md5 }
  }

  it.each([
    ['as bodies', 'raw', raws, 1.3],
    ['as forms', 'form', forms, 2],
  ] as const)(
    'cost, %s, hardly more memory than a Worker that only puts them',
    async (_, how, count, factor) => {
      const world = await open()
      const database = new pg.Client({ connectionString: world.stack.info().databaseUrl })
      await database.connect()
      try {
        await send(world, how, mebibyte)
        const sent: Awaited<ReturnType<typeof send>>[] = []
        const growth = await growthOf(world.pids, async () => {
          sent.push(
            ...(await Promise.all(Array.from({ length: count }, async () => await send(world, how, size)))),
          )
        })
        tell(
          `${count} × ${megabytes(size)} ${how}: + ${megabytes(growth)}; ${raws} × put(key, body): + ${megabytes(most)}`,
        )
        expect(growth).toBeLessThanOrEqual(factor * most)
        const { rows } = await database.query(
          "select id, etag from uploads where state = 'scanning' and size = $1",
          [size],
        )
        const etags = new Map(rows.map(({ id, etag }) => [id, etag]))
        expect(etags.size).toBe(count)
        // R2's ETag of one put is the MD5 of what it stored; of parts it is not of the whole.
        if (how === 'raw') expect(sent.map(({ id }) => etags.get(id))).toEqual(sent.map(({ md5 }) => md5))
        else
          for (const etag of etags.values())
            expect(etag).toMatch(new RegExp(`-${Math.ceil(size / (5 * mebibyte))}$`))
      } finally {
        await database.end()
        await world.stack.stop()
      }
    },
  )
})

describe('clients that go away', () => {
  let world: World
  let database: pg.Client
  beforeAll(async () => {
    world = await open()
    database = new pg.Client({ connectionString: world.stack.info().databaseUrl })
    await database.connect()
  })
  afterAll(async () => {
    await database.end()
    await world.stack.stop()
  })

  const counts = async () => {
    const { rows } = await database.query(
      'select (select count(*) from uploads)::int as uploads, (select count(*) from upload_remains)::int as remains',
    )
    return rows[0]
  }

  it(`leave nothing behind, ${aborts} times at any offset`, async () => {
    const bytes = 12 * mebibyte
    const ways = ['raw', 'chunked', 'form'] as const
    await inParallel(
      6,
      Array.from({ length: aborts }, (_, n) => ways[n % 3]),
      async (how = 'raw') => {
        const abortAt = Math.floor(Math.random() * bytes)
        const answer = await sendFile(world.stack.api, { token: world.token, size: bytes, how, abortAt })
        expect(answer).toBeUndefined()
      },
    )
    // Whoever received notices in its own time.
    for (let waited = 0; waited < 30_000 && (await counts()).uploads > 0; waited += 200) await sleep(200)
    const { body } = await world.api.call('POST', '/api/v1/admin/uploads/sweep', {
      token: world.token,
      body: { dryRun: false },
    })
    expect(await counts()).toEqual({ uploads: 0, remains: 0 })
    expect(body.data).toMatchObject({ objects: 0 })
    expect(keptIn(world.stack.stateDir)).toEqual({ objects: [], unfinished: 0 })
  })

  it('and those that stay are served as before', async () => {
    const answers = await Promise.all(
      Array.from({ length: 9 }, async () =>
        answered(await sendFile(world.stack.api, { token: world.token, size: mebibyte, how: 'chunked' })),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 201))
    expect(keptIn(world.stack.stateDir).objects).toHaveLength(9)
  })
})
