import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { fireCron } from '../../dev/clock.ts'
import { newId } from '../../src/shared/ids.ts'
import { createApi } from '../support/api.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { startResend, type SentMail } from '../support/resend.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startWebhookSink } from '../support/webhook-sink.ts'
import { witness } from './job-checks.ts'

export const statements = 'src/jobs/statements.ts'
const consumer = 'src/jobs/consumer.ts'

/** Every message comes twice, the second time when the job runs or has ended. */
export const everythingTwice: Mutation = {
  file: 'src/jobs/producer.ts',
  remove: 'const sendAll = async (queue: JobQueue, deliveries: readonly Delivery[]): Promise<void> => {',
  put: `const sendAll = async (queue: JobQueue, ones: readonly Delivery[]): Promise<void> => {
  const deliveries = ones.flatMap((one) => [one, { ...one, delaySeconds: (one.delaySeconds ?? 0) + 1 }])`,
}

/** A queue that gives a message up after two tries, and so tries the dead-letter queue. */
export const impatientQueue: Mutation = {
  file: 'wrangler.toml',
  remove: 'max_retries = 100\nretry_delay = 30\ndead_letter_queue',
  put: 'max_retries = 1\nretry_delay = 30\ndead_letter_queue',
}

/** Ids of jobs that run are sent again too, as a queue does that delivers late, and the chat may think for long. */
export const slowJobs: Mutation[] = [
  {
    file: statements,
    remove: `where state = 'pending' and relay_at <= now()`,
    put: `where state in ('pending', 'running') and relay_at <= now()`,
  },
  { file: 'src/jobs/webhook.ts', remove: 'patience = 10_000', put: 'patience = 120_000' },
]

/** The times of jobs, a fifth as long; the ratios stay as they are. */
export const fiveTimesFaster: Mutation[] = [
  { file: statements, remove: `const lease = sql\`interval '30`, put: `const lease = sql\`interval '6` },
  { file: statements, remove: `interval '10 seconds' * 3`, put: `interval '2 seconds' * 3` },
  { file: statements, remove: `interval '30 seconds' * (`, put: `interval '6 seconds' * (` },
  { file: statements, remove: `interval '45`, put: `interval '9` },
  { file: statements, remove: `interval '30 seconds' + case`, put: `interval '6 seconds' + case` },
  ...[`'jobId', id),`, 'left(last_error, 500)),'].map((before) => ({
    file: statements,
    remove: `${before}\n      id, request_id, traceparent, now() + interval '30`,
    put: `${before}\n      id, request_id, traceparent, now() + interval '6`,
  })),
  { file: consumer, remove: 'renewEvery = 10_000', put: 'renewEvery = 2_000' },
  { file: consumer, remove: 'leaseLife = 30_000', put: 'leaseLife = 6_000' },
  { file: consumer, remove: 'awayDelay = 30', put: 'awayDelay = 6' },
  { file: 'src/jobs/dead-letters.ts', remove: 'awayDelay = 30', put: 'awayDelay = 6' },
  { file: 'workers/jobs.ts', remove: 'betweenSweeps = 30_000', put: 'betweenSweeps = 6_000' },
]

/** How a job fares at its sink. lostAnswer: the first time, the effect is made and nobody hears of it. */
export type Fate = 'well' | 'poison' | 'transient' | 'lostAnswer'

export type NewJob = { id: string; type: 'mail.send' | 'ops.alert'; fate: Fate }

const everyMinute = '* * * * *'

export const until = async (condition: () => boolean | Promise<boolean>, within = 120_000): Promise<void> => {
  const deadline = Date.now() + within
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not true within ${within} ms: ${condition.toString()}`)
    await sleep(100)
  }
}

const jobOf = ({ tags }: SentMail['body']): string => tags.find(({ name }) => name === 'job_id')?.value ?? ''

type Options = {
  mutations: Mutation[]
  /** Of the database, for the stack; the test's own connection is never cut. */
  stackUrl?: string
  /** The answer of the operators' chat to whoever has no fate. */
  answer?: (jobId: string, nth: number) => number | Promise<number>
}

export type JobWorld = Awaited<ReturnType<typeof openJobWorld>>

/** A stack on a real PostgreSQL, and where its jobs have their effects: a mail provider and a chat. */
export const openJobWorld = async (databaseUrl: string, { mutations, stackUrl, answer }: Options) => {
  const fates = { 'mail.send': new Map<string, Fate>(), 'ops.alert': new Map<string, Fate>() }
  const seen = new Map<string, number>()
  const fails = (fate: Fate | undefined, nth: number) =>
    fate === 'poison' || (fate === 'transient' && nth === 0)
  const resend = await startResend((mail) => {
    const id = jobOf(mail)
    const nth = seen.get(id) ?? 0
    seen.set(id, nth + 1)
    const fate = fates['mail.send'].get(id)
    if (fails(fate, nth)) return { status: 500, name: 'told_to_fail' }
    return fate === 'lostAnswer' && nth === 0 ? { lostAnswer: true } : undefined
  })
  const chat = await startWebhookSink((jobId, nth) => {
    if (fails(fates['ops.alert'].get(jobId), nth)) return 500
    return answer?.(jobId, nth) ?? 200
  })
  const copy = makeMutant(mutations)
  const env = {
    ...{ DATABASE_URL: stackUrl ?? databaseUrl, LOG_LEVEL: 'warn' },
    ...{ RESEND_BASE_URL: resend.url, OPS_WEBHOOK_URL: chat.url },
  }
  const stacks: Stack[] = []
  const addStack = async () => {
    const stack = await startStack({ cwd: copy.folder, env })
    stacks.push(stack)
    return stack
  }
  const stack = await addStack()
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  await database.query(witness)
  const orders = (await database.query<{ id: string }>('select id from orders order by id limit 50')).rows

  /** Jobs as an outbox leaves them, due at once and to be sent by the next sweep. */
  const insert = async (jobs: Omit<NewJob, 'id'>[]): Promise<NewJob[]> => {
    const made = jobs.map((job) => ({ ...job, id: newId() }))
    for (const { id, fate, type } of made) fates[type].set(id, fate)
    const rows = made.map(({ id, type }, n) => {
      const orderId = orders[n % orders.length]?.id
      const mail = { template: 'orderConfirmed', orderId }
      return {
        id,
        type,
        payload: type === 'mail.send' ? mail : { jobId: id, type, failures: 3, error: null },
      }
    })
    await database.query(
      `insert into jobs (id, type, payload, request_id, relay_at)
        select id, type, payload, 'proof-' || id, now()
        from json_to_recordset($1) as job(id uuid, type text, payload jsonb)`,
      [JSON.stringify(rows)],
    )
    return made
  }

  const closing = new AbortController()
  /** As the clock does. Its second sweep comes later: nobody waits for that, least of all a stack that stops. */
  const sweep = ({ api } = stack): void =>
    void fireCron(api, everyMinute, { signal: closing.signal }).catch(() => undefined)

  const countOf = async (condition: string): Promise<number> => {
    const { rows } = await database.query(`select count(*)::int as n from jobs where ${condition}`)
    return rows[0].n
  }

  return {
    ...{ stack, addStack, database, chat, resend, insert, sweep, countOf },
    api: createApi(stack.api),
    /** What failed does so no more. */
    cure: () => Object.values(fates).forEach((of) => of.clear()),
    async close() {
      closing.abort()
      await database.end()
      await Promise.all(stacks.map((one) => one.stop()))
      await Promise.all([resend.close(), chat.close()])
      copy.remove()
    },
  }
}

/** Ends the runtime as a power cut would, and waits for the next one. */
export const killRuntime = async ({ info, api }: Stack): Promise<void> => {
  const { pid, runtimePids } = info()
  for (const one of runtimePids.filter((runtimePid) => runtimePid !== pid)) process.kill(one, 'SIGKILL')
  await until(() => info().runtimePids.every((one) => one === pid || !runtimePids.includes(one)))
  await until(async () => {
    const answer = await fetch(`${api}/health`).catch(() => undefined)
    await answer?.body?.cancel()
    return answer?.ok === true
  })
}

type Wrong = { id: string; fate: Fate; effects: number; why: string }

/**
 * Compares what the sinks have counted with what the rows say. The provider knows a job by its key: one effect. The chat
 * knows no keys: it is told once, and once more for every attempt that a kill cut off, and never otherwise.
 */
export const wrongEffects = async (world: JobWorld, jobs: NewJob[]): Promise<Wrong[]> => {
  const { rows } = await world.database.query<{ job_id: string; lost: number }>(
    `select job_id, count(*) filter (where outcome = 'lost')::int as lost from job_attempts group by job_id`,
  )
  const lost = new Map(rows.map(({ job_id: id, lost: n }) => [id, n]))
  const mails = new Map<string, number>()
  for (const { body } of world.resend.mails()) mails.set(jobOf(body), (mails.get(jobOf(body)) ?? 0) + 1)
  return jobs.flatMap(({ id, type, fate }) => {
    const isMail = type === 'mail.send'
    const effects = isMail
      ? (mails.get(id) ?? 0)
      : world.chat.of(id).filter(({ accepted }) => accepted).length
    const most = isMail ? 1 : 1 + (lost.get(id) ?? 0)
    const [from, to] = fate === 'poison' ? [0, 0] : [1, most]
    return effects >= from && effects <= to ? [] : [{ id, fate, effects, why: `expected ${from} to ${to}` }]
  })
}
