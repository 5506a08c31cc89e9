import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTokenSecret } from '../../dev/secrets.ts'
import { generousLimits } from '../support/generous-limits.ts'
import { costlyControl, costlyControls } from '../support/costly-control.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import {
  addAccounts,
  confirmAtOnce,
  confirmSameAddress,
  newEmail,
  newKey,
  password,
  registerAtOnce,
  resetAtOnce,
  untilLimitIs,
  type AccountWorld,
} from './account-races.ts'
import { addressesNeeded, comparePairs, farDatabase, shortCuts, type Ask } from './timing.ts'
import { createDatabase, openWorld } from './world.ts'

const postgres = await startPostgres()

const isFull = process.env['SELVEDGE_PROOF'] === 'full'
const [uses, pairs] = isFull ? [200, 200] : [12, 20]

const registering = `values (\${id}, \${name}, \${email}, \${passwordHash}, 'user')`

/** What refuses a token that was used, and what makes the second of two registrations do nothing. */
const withoutGuards: Mutation[] = [
  {
    file: 'src/users/recovery-repository.ts',
    remove: '      requireUsable(shown),\n',
    put: '      undefined,\n',
  },
  {
    file: 'src/users/email-repository.ts',
    remove: '      requireUsable(shown),\n',
    put: '      undefined,\n',
  },
  {
    file: 'src/users/email-repository.ts',
    remove: `${registering} on conflict (email) do nothing`,
    put: registering,
  },
]

/** What makes those who show the same token come one after the other. */
const withoutLocks: Mutation[] = [
  {
    file: 'src/users/recovery-repository.ts',
    remove: 'select id from users where id = ${owner} for no key update',
    put: 'select id from users where id = ${owner}',
  },
  {
    file: 'src/users/email-repository.ts',
    remove: 'select 1 from users where id = ${owner} for no key update',
    put: 'select 1',
  },
]

const withoutIndex = 'alter table users drop constraint users_email_unique'

/** What a difference may make of the time of a request; what a short cut saves is more than half of it. */
const share = 0.25

const asksOf = ({ api }: AccountWorld): Record<string, Ask> => ({
  login: (email) => api.call('POST', '/api/auth/login', { body: { email, password: 'wrong' } }),
  forgot: (email) => api.call('POST', '/api/auth/forgot-password', { body: { email } }),
  register: (email) =>
    api.call('POST', '/api/auth/register', { body: { name: 'Ada Byron', email, password } }),
})

const operate = (world: AccountWorld, jobType: string, verb: 'pause' | 'resume') =>
  world.api.call('POST', `/api/v1/admin/jobs/types/${jobType}/${verb}`, { token: world.admin })

/** Points a second of the plans, as this suite has them. */
const [free, pro] = [50_000, 100_000]
const LIMITS = JSON.stringify({
  ...JSON.parse(generousLimits),
  'key.free': { points: free, duration: 1 },
  'key.pro': { points: pro, duration: 1 },
})

const setPlan = async (world: AccountWorld, id: string, plan: 'free' | 'pro') => {
  const { status } = await world.api.call('PATCH', `/api/v1/users/${id}`, {
    token: world.admin,
    body: { plan },
  })
  expect(status).toBe(200)
}

/** Which of them take the same time for a known and an unknown address. */
const sameTimes = async (world: AccountWorld, pairs: number) => {
  // Mails are made elsewhere than where requests are answered; here it is one machine.
  await operate(world, 'mail.send', 'pause')
  const same: string[] = []
  for (const [name, ask] of Object.entries(asksOf(world))) {
    const known = await addAccounts(world, addressesNeeded)
    const addresses = { known: () => known.pop() ?? '', unknown: newEmail }
    const { isSame, difference, ...measured } = await comparePairs(ask, addresses, { pairs, share })
    const [a, b] = [measured.known, measured.unknown].map((ms) => ms.toFixed(1))
    const [d, l, h] = [difference.middle, difference.low, difference.high].map((ms) => ms.toFixed(2))
    console.log(
      `${name}: known ${a} ms, unknown ${b} ms, differ by ${d} ms (${l} to ${h}), ${measured.pairs} pairs`,
    )
    if (isSame) same.push(name)
  }
  await operate(world, 'mail.send', 'resume')
  return same
}

/** A stack of its own with these changes; its world is there while tests run. */
const openMutant = (name: string, mutations: Mutation[]): (() => AccountWorld) => {
  const mutant = makeMutant(mutations)
  const tokenSecret = makeTokenSecret()
  let world: AccountWorld | undefined
  beforeAll(async () => {
    const url = 'url' in postgres ? await createDatabase(postgres.url, name) : ''
    const opened = await openWorld(url, mutant.folder, { TOKEN_SECRET: tokenSecret, LIMITS })
    world = { ...opened, tokenSecret }
  })
  afterAll(async () => {
    await world?.close()
    mutant.remove()
  })
  return () => {
    if (world === undefined) throw new Error('the stack runs only while tests do')
    return world
  }
}

if ('unavailable' in postgres) {
  skipOrFail('accounts that race, on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('accounts, on a real PostgreSQL', () => {
    const world = openMutant('accounts', [farDatabase])

    it(`sets one password when ${uses} use one reset token at the same moment, and leaves no session`, async () => {
      expect(await resetAtOnce(world(), uses)).toEqual({
        outcomes: { '204': 1, '400 LINK_INVALID': uses - 1 },
        living: 0,
      })
    })

    it('makes one account when two register the same address at the same moment, and tells neither', async () => {
      expect(await registerAtOnce(world())).toEqual({ outcomes: { '202': 2 }, accounts: 1 })
    })

    it('gives an address to one of two accounts that confirm it at the same moment', async () => {
      expect(await confirmSameAddress(world(), { held: true })).toEqual({
        outcomes: { '204': 1, '409 EMAIL_TAKEN': 1 },
        accounts: 1,
      })
    })

    it(`changes an address once when ${uses} use one link at the same moment`, async () => {
      expect(await confirmAtOnce(world(), uses)).toEqual({
        outcomes: { '204': 1, '400 LINK_INVALID': uses - 1 },
        notices: 1,
        events: 1,
      })
    })

    it("brings another plan to its owner's keys within 5 s, by the queue and not without it", async () => {
      const key = await newKey(world())
      expect(await key.limit()).toBe(free)
      await setPlan(world(), key.ownerId, 'pro')
      const took = await untilLimitIs(key, pro, 5_000)
      console.log(`the plan took effect after ${took?.toFixed(0)} ms`)
      expect(took).toBeDefined()

      await operate(world(), 'apiKey.renew', 'pause')
      await setPlan(world(), key.ownerId, 'free')
      expect(await untilLimitIs(key, free, 5_000)).toBeUndefined()
      await operate(world(), 'apiKey.renew', 'resume')
    })

    it('takes as long for a known address as for an unknown one', async () => {
      expect(await sameTimes(world(), pairs)).toEqual(['login', 'forgot', 'register'])
    })
  })

  describe('without the guards and with short cuts, as a control of the checks above', () => {
    const world = openMutant('unguarded', [farDatabase, ...withoutGuards, ...shortCuts])

    it('one reset token sets several passwords', async () => {
      expect((await resetAtOnce(world(), 8)).outcomes['204']).toBeGreaterThan(1)
    })

    it('one link changes an address several times', async () => {
      const { outcomes, notices } = await confirmAtOnce(world(), 8)
      expect(outcomes['204']).toBeGreaterThan(1)
      expect(notices).toBeGreaterThan(1)
    })

    it('the second of two registrations is told of the first', async () => {
      expect((await registerAtOnce(world())).outcomes['202']).toBe(1)
    })

    costlyControl('a known address is told from an unknown one by the time', shortCuts, async () => {
      expect(await sameTimes(world(), 12)).toEqual([])
    })
  })

  costlyControls('without the locks and the index, as a control of the checks above', withoutLocks, () => {
    const world = openMutant('unlocked', [farDatabase, ...withoutLocks])

    it('one reset token sets several passwords', async () => {
      expect((await resetAtOnce(world(), 8)).outcomes['204']).toBeGreaterThan(1)
    })

    it('one link changes an address several times', async () => {
      expect((await confirmAtOnce(world(), 8)).outcomes['204']).toBeGreaterThan(1)
    })

    it('an address is given to two accounts', async () => {
      await world().database.query(withoutIndex)
      // Nobody stands before what is not there.
      expect(await confirmSameAddress(world(), { held: false })).toEqual({
        outcomes: { '204': 2 },
        accounts: 2,
      })
    })
  })
}
