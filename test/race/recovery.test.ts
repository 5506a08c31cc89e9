import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTokenSecret } from '../../dev/secrets.ts'
import { createMailedTokens } from '../../src/users/mailed-token.ts'
import { countBy, inParallel } from '../support/api.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { createDatabase, openWorld, type OpenWorld } from './world.ts'

const postgres = await startPostgres()

const isFull = process.env['SELVEDGE_PROOF'] === 'full'
const [uses, pairs] = isFull ? [200, 200] : [40, 20]

/** What makes a token single-use. */
const withoutGuard: Mutation[] = [
  {
    file: 'src/users/recovery-repository.ts',
    remove: '      requireUsable(shown),\n',
    put: '      undefined,\n',
  },
]

const TOKEN_SECRET = makeTokenSecret()
const email = 'customer@selvedge.test'

/** Asks for a link and answers its token, as the mail has it. */
const newToken = async ({ api, database }: OpenWorld): Promise<string> => {
  const { status } = await api.call('POST', '/api/auth/forgot-password', { body: { email } })
  expect(status).toBe(204)
  const { rows } = await database.query('select id from mailed_tokens order by id desc limit 1')
  return createMailedTokens(TOKEN_SECRET).of(rows[0].id)
}

/** One token, used by everybody at the same moment, each with a password of its own. */
const resetAtOnce = async (world: OpenWorld) => {
  const token = await newToken(world)
  const passwords = Array.from({ length: uses }, (_, n) => `Warp-and-Weft-${n}`)
  const replies = await Promise.all(
    passwords.map((password) =>
      world.api.call('POST', '/api/auth/reset-password', { body: { token, password } }),
    ),
  )
  return countBy(replies, ({ status, body }) => `${status} ${body?.error.code ?? ''}`.trim())
}

/** Milliseconds of one request. */
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

if ('unavailable' in postgres) {
  skipOrFail('resets that race, on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('a reset by mail, on a real PostgreSQL', () => {
    const copy = makeMutant([])
    let world: OpenWorld
    beforeAll(async () => {
      world = await openWorld(postgres.url, copy.folder, { TOKEN_SECRET })
    })
    afterAll(async () => {
      await world.close()
      copy.remove()
    })

    it(`succeeds once when ${uses} use one token at the same moment`, async () => {
      expect(await resetAtOnce(world)).toEqual({ '204': 1, '400 LINK_INVALID': uses - 1 })
      const { rows } = await world.database.query(
        `select count(*)::int as living from sessions join users on users.id = user_id
          where email = $1 and revoked_at is null`,
        [email],
      )
      expect(rows[0].living).toBe(0)
    })

    // A figure to look at, not a promise: a shared machine's noise would make any bound either false or empty.
    it(`tells of ${pairs} interleaved pairs how long a known and an unknown address take`, async () => {
      const operations = {
        login: (address: string) =>
          world.api.call('POST', '/api/auth/login', { body: { email: address, password: 'wrong' } }),
        forgot: (address: string) =>
          world.api.call('POST', '/api/auth/forgot-password', { body: { email: address } }),
        register: (address: string) =>
          world.api.call('POST', '/api/auth/register', {
            body: { name: 'Ada Byron', email: address, password: 'Warp-and-Weft-7' },
          }),
      }
      for (const [name, ask] of Object.entries(operations)) {
        const known: number[] = []
        const unknown: number[] = []
        await inParallel(1, Array.from({ length: pairs }), async (_, n) => {
          known.push(await timed(() => ask(email)))
          unknown.push(await timed(() => ask(`nobody-${n}@people.example`)))
        })
        console.log(
          `${name}: known ${median(known).toFixed(2)} ms, unknown ${median(unknown).toFixed(2)} ms, medians of ${pairs} pairs`,
        )
        expect([known.length, unknown.length]).toEqual([pairs, pairs])
      }
    })
  })

  describe('without its guard, as a control of the check above', () => {
    const mutant = makeMutant(withoutGuard)
    let world: OpenWorld
    beforeAll(async () => {
      const url = await createDatabase(postgres.url, 'unguarded')
      world = await openWorld(url, mutant.folder, { TOKEN_SECRET })
    })
    afterAll(async () => {
      await world.close()
      mutant.remove()
    })

    it('one token sets several passwords', async () => {
      expect((await resetAtOnce(world))['204']).toBeGreaterThan(1)
    })
  })
}
