import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { costlyControl } from '../support/costly-control.ts'
import type { Mutation } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { startTcpGate } from '../support/tcp-gate.ts'
import { brokenJobRules, slowestRecovery } from './job-checks.ts'
import { statements, everythingTwice, fiveTimesFaster, impatientQueue, killRuntime, openJobWorld, slowJobs, until, wrongEffects, type Fate, type JobWorld, type NewJob } from './job-world.ts' // prettier-ignore
import type { Stack } from '../support/stack.ts'
import { createDatabase } from './world.ts'

const isFull = process.env['SELVEDGE_PROOF'] === 'full'

/** Milliseconds for a test. */
const timeout = isFull ? 1_500_000 : 300_000

/** Jobs a round; each round ends with a kill. */
const { rounds, perRound } = isFull ? { rounds: 20, perRound: 250 } : { rounds: 2, perRound: 100 }

/** The full proof lives at the true times, the small one five times faster: a second of the product, in milliseconds. */
const [times, second] = isFull ? [[], 1_000] : [fiveTimesFaster, 200]

const postgres = await startPostgres()

const openJobs = `state in ('pending', 'running')`

/** 2 % poison and 10 % that fail the first time, in one of two ways; mails and alerts. */
const mixture = (count: number): Omit<NewJob, 'id'>[] =>
  Array.from({ length: count }, (_, n) => {
    const type = Math.floor(n / 2) % 2 === 0 ? 'mail.send' : 'ops.alert'
    const hiccup: Fate = type === 'mail.send' && n % 40 < 20 ? 'lostAnswer' : 'transient'
    return { type, fate: n % 50 === 0 ? 'poison' : n % 10 === 5 ? hiccup : 'well' }
  })

const alike = (count: number, type: NewJob['type'], fate: Fate) =>
  Array.from({ length: count }, () => ({ type, fate }))

/** The clock of the stack sweeps each minute; where time runs faster, so do we. */
const whileSwept = async (world: JobWorld, work: () => Promise<unknown>): Promise<void> => {
  world.sweep()
  const pulse = isFull ? undefined : setInterval(() => world.sweep(), 60 * second)
  try {
    await work()
  } finally {
    clearInterval(pulse)
  }
}

const untilNoneIsOpen = async (world: JobWorld) =>
  await whileSwept(world, () => until(async () => (await world.countOf(openJobs)) === 0, timeout))

type Answers = (jobId: string, nth: number) => number | Promise<number>

/** Lets one job of the operators' chat run in the first stack, and answers once the chat has heard of it. */
const beginIn = async (world: JobWorld): Promise<string> => {
  const [job] = await world.insert(alike(1, 'ops.alert', 'well'))
  const id = job?.id ?? ''
  world.sweep()
  await until(() => world.chat.of(id).length === 1)
  return id
}

const rowOf = async ({ database }: JobWorld, id: string) => {
  const { rows } = await database.query(
    `select state, attempt, failures,
      (select array_agg(outcome order by attempt) from job_attempts where job_id = jobs.id) as outcomes
    from jobs where id = $1`,
    [id],
  )
  return rows[0]
}

if ('unavailable' in postgres) {
  skipOrFail('background jobs on a real PostgreSQL', postgres.unavailable)
} else {
  let databases = 0
  const open = async (mutations: Mutation[], answer?: Answers) => {
    const url = await createDatabase(postgres.url, `jobs_${++databases}`)
    const gate = await startTcpGate(Number(new URL(url).port))
    const stackUrl = Object.assign(new URL(url), { port: gate.port }).href
    const options = { mutations: [...times, ...mutations], stackUrl, ...(answer && { answer }) }
    const world = await openJobWorld(url, options)
    const close = async () => {
      await world.close()
      await gate.stop()
    }
    return { ...world, gate, close }
  }
  type World = Awaited<ReturnType<typeof open>>
  afterAll(() => postgres.stop())

  /** Jobs under way and jobs that wait meet a database that is away for a minute. */
  const throughAnOutage = async (world: World): Promise<NewJob[]> => {
    const jobs = await world.insert([...alike(150, 'mail.send', 'well'), ...alike(150, 'ops.alert', 'well')])
    world.sweep()
    await until(async () => (await world.countOf(`state = 'running'`)) > 0)
    world.gate.shut()
    await sleep(60 * second)
    world.gate.open()
    expect(await world.countOf(openJobs)).toBeGreaterThan(0)
    return jobs
  }

  describe(
    `${rounds * perRound} jobs, every message twice, ${rounds} kills of the runtime`,
    { timeout },
    () => {
      const jobs: NewJob[] = []
      let world: World
      beforeAll(async () => {
        world = await open([everythingTwice, impatientQueue])
      })
      afterAll(() => world.close())

      it('lose nothing at any kill, and every job has its one effect, or is dead after three failures', async () => {
        let lastKill = new Date()
        for (let round = 0; round < rounds; round++) {
          // What is measured after the last kill is how long a lost job waits, not how fast this machine works.
          if (isFull && round === rounds - 1) await until(async () => (await world.countOf(openJobs)) < perRound, timeout) // prettier-ignore
          jobs.push(...(await world.insert(mixture(perRound))))
          world.sweep()
          await until(async () => (await world.countOf(`attempt > 0`)) > 0)
          await sleep(Math.random() * (isFull ? 5_000 : 1_500))
          lastKill = new Date()
          await killRuntime(world.stack)
          expect(await brokenJobRules(world.database)).toEqual([])
          expect(await world.countOf(`request_id = 'proof-' || id`)).toBe(jobs.length)
        }
        await untilNoneIsOpen(world)
        expect(await brokenJobRules(world.database)).toEqual([])
        expect(await wrongEffects(world, jobs)).toEqual([])
        // Where time runs faster, a runtime still takes as long to start.
        if (isFull) expect(await slowestRecovery(world.database, lastKill)).toBeLessThanOrEqual(90)
        const poison = jobs.filter(({ fate }) => fate === 'poison')
        expect(await world.countOf(`state = 'dead'`)).toBe(poison.length)
      })

      it(`bring back ${(rounds * perRound) / 50} dead jobs, each done once`, async () => {
        const token = await world.api.login({ email: 'admin@selvedge.test', password: 'Selvedge-Dev-1!' })
        const dead = jobs.filter(({ fate }) => fate === 'poison')
        world.cure()
        const body = { limit: dead.length, perMinute: 6_000 }
        const { body: redriven } = await world.api.call('POST', '/api/v1/admin/jobs/redrive', { token, body })
        expect(redriven.data.redriven).toBe(dead.length)
        await untilNoneIsOpen(world)
        expect(await world.countOf(`state = 'dead'`)).toBe(0)
        expect(await wrongEffects(world, dead.map((job) => ({ ...job, fate: 'well' })))).toEqual([]) // prettier-ignore
        expect(await brokenJobRules(world.database)).toEqual([])
      })

      it.runIf(isFull)('wait 1.8 times as long after a second failure as after the first', async () => {
        const made = await world.insert(alike(20, 'ops.alert', 'poison'))
        await untilNoneIsOpen(world)
        const { rows } = await world.database.query<{ gaps: number[] }>(
          `select array_agg(gap order by attempt) as gaps
          from (select *, extract(epoch from started_at - lag(ended_at) over (partition by job_id order by attempt))::float
            as gap from job_attempts where job_id = any($1)) as attempts
          where gap is not null group by job_id`,
          [made.map(({ id }) => id)],
        )
        expect(rows).toHaveLength(made.length)
        for (const { gaps: [first = 0, next = 0] } of rows) expect(next / first).toBeGreaterThanOrEqual(1.8) // prettier-ignore
        world.cure()
      })

      it('outlive a database that is away, although the queue has given them up', async () => {
        const dead = await world.countOf(`state = 'dead'`)
        const healthy = await throughAnOutage(world)
        await untilNoneIsOpen(world)
        expect(await world.countOf(`state = 'dead'`)).toBe(dead)
        expect(await brokenJobRules(world.database)).toEqual([])
        expect(await wrongEffects(world, healthy)).toEqual([])
      })
    },
  )

  /** A job of a minute runs in the first stack, while the other one hears of it again and again. */
  const besideAnother = async (world: World, other: Stack): Promise<string> => {
    const id = await beginIn(world)
    await until(async () => {
      await world.database.query('update jobs set relay_at = now() where id = $1', [id])
      world.sweep(other)
      await sleep(500)
      return overlaps(world, id) > 0 || (await rowOf(world, id)).state === 'done'
    })
    return id
  }

  /** Its lease is over, so another stack works on the job; then the first one fails, and at last the other one ends. */
  const failLate = async (world: World, other: Stack, held: Held): Promise<string> => {
    held.answers = []
    held.holds = true
    const id = await beginIn(world)
    const leaseOf = async () =>
      (await world.database.query('select lease_until from jobs where id = $1', [id])).rows[0].lease_until
    const lease = Number(await leaseOf())
    // Just renewed, so that it is a while until the first one notices.
    await until(async () => Number(await leaseOf()) !== lease)
    await world.database.query(
      `update jobs set lease_until = now() - interval '1 second', relay_at = now() where id = $1`,
      [id],
    )
    world.sweep(other)
    await until(() => world.chat.of(id).length === 2)
    held.answers[0]?.(500)
    const lineOf = () =>
      [world.stack, other]
        .flatMap((stack) => stack.output().split('\n'))
        .find((line) => line.includes(`jobId=${id}`))
    await until(() => lineOf() !== undefined)
    // What failed is written into the row a moment after the log.
    await sleep(1_000)
    held.answers[1]?.(200)
    held.holds = false
    await whileSwept(world, () => until(async () => (await rowOf(world, id)).state === 'done'))
    // On a busy machine it may have noticed all the same.
    return lineOf()?.includes('lost its lease') ? await failLate(world, other, held) : id
  }

  type Held = { holds: boolean; answers: ((status: number) => void)[] }

  const openTwo = async (mutations: Mutation[]) => {
    const held: Held = { holds: false, answers: [] }
    const answer: Answers = async () => {
      if (held.holds) return await new Promise<number>((resolve) => held.answers.push(resolve))
      await sleep(60 * second)
      return 200
    }
    const world = await open([...slowJobs, ...mutations], answer)
    return { world, other: await world.addStack(), held }
  }

  /** How often two consumers had the same job in hand at once. */
  const overlaps = (world: World, id: string): number => {
    const told = world.chat.of(id)
    return told.filter(({ begun }, n) => told.slice(0, n).some(({ ended = Infinity }) => begun < ended))
      .length
  }

  describe('two consumers', () => {
    let two: Awaited<ReturnType<typeof openTwo>>
    beforeAll(async () => {
      two = await openTwo([])
    })
    afterAll(() => two.world.close())

    it('never have a job in hand at once, although it takes twice as long as a lease', async () => {
      const { world, other } = two
      const id = await besideAnother(world, other)
      expect(overlaps(world, id)).toBe(0)
      expect(world.chat.of(id)).toMatchObject([{ accepted: true }])
      expect(await rowOf(world, id)).toMatchObject({ attempt: 1, outcomes: ['done'] })
    })

    it('count the outcome of the one that holds the lease, whatever the one before says later', async () => {
      const id = await failLate(two.world, two.other, two.held)
      expect(await rowOf(two.world, id)).toMatchObject({ failures: 0, outcomes: ['lost', 'done'] })
      expect(await brokenJobRules(two.world.database)).toEqual([])
    })
  })

  describe.concurrent('with its guards taken out, as a control of the checks above', () => {
    costlyControl(
      'a key that changes with each try makes two effects, a queue that is trusted loses jobs, and an outage kills',
      [
        impatientQueue,
        { file: 'src/mail/mailer.ts', remove: 'idempotencyKey: key', put: 'idempotencyKey: crypto.randomUUID()' }, // prettier-ignore
        {
          file: statements,
          remove: `where state = 'pending' and relay_at <= now()`,
          put: `where state = 'pending' and relays = 0 and relay_at <= now()`,
        },
        { file: statements, remove: 'and wanted.failed_at is not null', put: '' },
        { file: statements, remove: 'and wanted.failed_at is null', put: 'and false' },
      ],
      async (mutations) => {
        const world = await open(mutations)
        try {
          const mails = await world.insert(alike(5, 'mail.send', 'lostAnswer'))
          await untilNoneIsOpen(world)
          expect(await wrongEffects(world, mails)).toHaveLength(mails.length)

          await throughAnOutage(world)
          await whileSwept(world, () => until(async () => (await world.countOf(`state = 'dead'`)) > 0))

          const jobs = await world.insert(alike(400, 'ops.alert', 'well'))
          const isOne = `id in (${jobs.map(({ id }) => `'${id}'`).join()})`
          world.sweep()
          await until(async () => (await world.countOf(`${isOne} and state = 'done'`)) > 0)
          await killRuntime(world.stack)
          await whileSwept(world, () => sleep(100 * second))
          expect(await world.countOf(`${isOne} and state = 'pending' and attempt = 0`)).toBeGreaterThan(0)
        } finally {
          await world.close()
        }
      },
    )

    costlyControl(
      'a claim that heeds no lease gives a job to two at once',
      [{ file: statements, remove: 'and lease_until <= now() and lost_leases', put: 'and lost_leases' }],
      async (mutations) => {
        const { world, other } = await openTwo(mutations)
        try {
          const id = await besideAnother(world, other)
          expect(overlaps(world, id)).toBeGreaterThan(0)
        } finally {
          await world.close()
        }
      },
    )

    costlyControl(
      'an outcome that is not fenced counts a failure that was none',
      [{ file: statements, remove: 'where jobs.attempt = ended.attempt and state', put: 'where state' }],
      async (mutations) => {
        const { world, other, held } = await openTwo(mutations)
        try {
          const id = await failLate(world, other, held)
          expect(await rowOf(world, id)).toMatchObject({ failures: 1 })
        } finally {
          await world.close()
        }
      },
    )
  })
}
