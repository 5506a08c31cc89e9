import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeJwtKeys, makeTokenSecret } from '../../dev/secrets.ts'
import { createApi, type Api } from '../support/api.ts'
import { costlyControl } from '../support/costly-control.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { startStack } from '../support/stack.ts'
import { createDatabase } from './world.ts'

const postgres = await startPostgres()

const isFull = process.env['SELVEDGE_PROOF'] === 'full'
const [rounds, requests] = isFull ? [100, 100] : [5, 40]

/** Milliseconds: tens of thousands of refreshes, on a machine that may be busy. */
const timeout = isFull ? 1_800_000 : 300_000

/** Tells how long all rounds have taken. */
const inRounds = async (title: string, work: () => Promise<void>) => {
  const started = performance.now()
  for (let round = 0; round < rounds; round++) await work()
  const seconds = ((performance.now() - started) / 1_000).toFixed(0)
  console.log(`${title}: ${rounds} rounds of ${requests} requests in ${seconds} s`)
}

/** What must go wrong without the lock: everyone who comes second raises the alarm. */
const withoutLock: Mutation[] = [
  {
    file: 'src/auth/session-repository.ts',
    remove: '      refresh.lockFamily(exchange),\n',
    put: '      undefined,\n',
  },
]

/** And without the condition, once the index behind it is dropped: everyone gets a chain. */
const withoutCondition: Mutation[] = [
  {
    file: 'src/auth/refresh-statements.ts',
    remove: ' and spent_at is null and sessions.id',
    put: ' and sessions.id',
  },
]
const withoutIndex = 'drop index refresh_tokens_live_once'

const email = 'customer@selvedge.test'
const password = 'Selvedge-Dev-1!'

type Held = { refreshToken: string; refreshNonce: string; accessToken: string }

/** As two isolates of one deployment have them. */
const shared = {
  JWT_ISSUER: 'http://127.0.0.1',
  JWT_KEYS: makeJwtKeys(),
  TOKEN_SECRET: makeTokenSecret(),
  LOG_LEVEL: 'error',
}

/** Two runtimes of one deployment over one database. */
const openTwo = async (databaseUrl: string, cwd: string) => {
  const env = { ...shared, DATABASE_URL: databaseUrl }
  const stacks = [await startStack({ cwd, env }), await startStack({ cwd, env })]
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  return {
    apis: stacks.map(({ api }) => createApi(api)),
    database,
    async close() {
      await database.end()
      for (const stack of stacks) await stack.stop()
    },
  }
}

type Two = Awaited<ReturnType<typeof openTwo>>

const login = async ([api]: Api[]): Promise<Held> =>
  (await api?.call('POST', '/api/auth/login', { body: { email, password } }))?.body.data

/** One token, shown at both runtimes at the same moment, `requests` times in all. */
const rush = async (apis: Api[], { refreshToken }: Held, key?: string) =>
  await Promise.all(
    Array.from({ length: requests }, async (_, n) => {
      const body = { refreshToken }
      const reply = await apis[n % apis.length]?.call('POST', '/api/auth/refresh', {
        body,
        ...(key !== undefined && { key }),
      })
      return {
        outcome: reply?.status === 200 ? '200' : `${reply?.status} ${reply?.body.error.code}`,
        successor: reply?.body.data?.refreshToken as string | undefined,
      }
    }),
  )

const sessionOf = ({ accessToken }: Held): string =>
  JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).sid

const familyOf = async ({ database }: Two, held: Held) => {
  const { rows } = await database.query(
    `select revoked_at is null as lives,
      (select count(*)::int from refresh_tokens where session_id = sessions.id and spent_at is null) as chains,
      (select count(*)::int from audit_events where subject = sessions.id::text) as alarms
      from sessions where id = $1`,
    [sessionOf(held)],
  )
  return rows[0]
}

if ('unavailable' in postgres) {
  skipOrFail('refresh tokens that race, on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe(`one refresh token, ${requests} times at once at two runtimes, ${rounds} times over`, () => {
    // A copy, so that an edit of the source during the run reloads nothing.
    const copy = makeMutant([])
    let two: Two
    beforeAll(async () => {
      two = await openTwo(postgres.url, copy.folder)
    })
    afterAll(async () => {
      await two.close()
      copy.remove()
    })

    it('without a key is exchanged once, and then its session is over', { timeout }, async () => {
      await inRounds('without a key', async () => {
        const held = await login(two.apis)
        const outcomes = (await rush(two.apis, held)).map(({ outcome }) => outcome)
        expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(1)
        expect(outcomes.filter((outcome) => outcome === '401 REFRESH_REUSED')).toHaveLength(requests - 1)
        expect(await familyOf(two, held)).toEqual({ lives: false, chains: 1, alarms: 1 })
      })
    })

    it('with one key is exchanged for one successor, by everybody', { timeout }, async () => {
      await inRounds('with one key', async () => {
        const held = await login(two.apis)
        const answers = await rush(two.apis, held, held.refreshNonce)
        expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['200']))
        expect(new Set(answers.map(({ successor }) => successor)).size).toBe(1)
        expect(await familyOf(two, held)).toEqual({ lives: true, chains: 1, alarms: 0 })
      })
    })

    it('with logouts among them ends in no living session', { timeout }, async () => {
      await inRounds('with logouts', async () => {
        const held = await login(two.apis)
        const [answers, logout] = await Promise.all([
          rush(two.apis, held, held.refreshNonce),
          two.apis[1]?.call('POST', '/api/auth/logout', { token: held.accessToken }),
        ])
        expect(logout?.status).toBe(204)
        const known = new Set(['200', '401 REFRESH_INVALID'])
        expect(answers.filter(({ outcome }) => !known.has(outcome))).toEqual([])
        expect(await familyOf(two, held)).toEqual({ lives: false, chains: 1, alarms: 0 })
      })
    })
  })

  const control = (
    title: string,
    mutations: Mutation[],
    prepare: (two: Two) => Promise<unknown>,
    promise: string,
    check: (
      answers: Awaited<ReturnType<typeof rush>>,
      family: Awaited<ReturnType<typeof familyOf>>,
    ) => boolean,
  ) =>
    costlyControl(`${title}, as a control of the checks above: ${promise}`, mutations, async () => {
      const mutant = makeMutant(mutations)
      const two = await openTwo(await createDatabase(postgres.url, title.replaceAll(' ', '_')), mutant.folder)
      try {
        await prepare(two)
        const broken: boolean[] = []
        while (broken.length < 10 && !broken.includes(true)) {
          const held = await login(two.apis)
          broken.push(check(await rush(two.apis, held), await familyOf(two, held)))
        }
        expect(broken).toContain(true)
      } finally {
        await two.close()
        mutant.remove()
      }
    })

  control(
    'without the lock',
    withoutLock,
    () => Promise.resolve(),
    'one theft raises several alarms',
    (_, { alarms }) => alarms > 1,
  )

  control(
    'without the condition',
    withoutCondition,
    ({ database }) => database.query(withoutIndex),
    'one token gives several chains',
    (answers, { chains }) => chains > 1 && answers.filter(({ outcome }) => outcome === '200').length > 1,
  )
}
