import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { fireCron } from '../../../dev/clock.ts'
import { makeMutant } from '../../support/mutant.ts'
import { startStack, type Stack } from '../../support/stack.ts'
import type { Bench, Context } from '../context.ts'
import { show, showMedian } from '../format.ts'
import { inRounds } from '../rounds.ts'
import { median } from '../statistics.ts'

const batchSizes = [10, 100]

/** Jobs of a round. */
const count = 2_000

/** Calls to the database for a job, beside those of its handler. */
const aimed = 0.5

const patience = 120_000

/** As many as `count`, committed in one transaction, of a type whose handler has nothing to do here. */
const enqueueAll = `
  insert into jobs (id, type, payload, request_id, relay_at)
  select gen_random_uuid(), 'ops.alert', jsonb_build_object('jobId', gen_random_uuid(), 'type', 'x', 'failures', 1, 'error', null),
    'bench', now()
  from generate_series(1, $1::int)`

const openStack = async ({ databases }: Context, batchSize: number) => {
  const { url } = await databases.empty()
  const size = {
    file: 'wrangler.toml',
    remove: 'queue = "selvedge-jobs"\nmax_batch_size = 10',
    put: `queue = "selvedge-jobs"\nmax_batch_size = ${batchSize}`,
  }
  const copy = makeMutant([size])
  const env = { DATABASE_URL: url, LOG_LEVEL: 'warn', REDIS_URL: 'off', MAIL: 'off' }
  const stack = await startStack({ cwd: copy.folder, env, patience })
  const client = new Client({ connectionString: url })
  await client.connect()
  const close = async () => {
    await client.end()
    await stack.stop()
    copy.remove()
  }
  return { stack, client, close }
}

/** Transactions that the database has committed; the Worker makes one a call. */
const commitsOf = async (client: Client): Promise<number> => {
  await client.query('select pg_stat_force_next_flush()')
  const { rows } = await client.query<{ n: string }>(
    'select xact_commit as n from pg_stat_database where datname = current_database()',
  )
  return Number(rows[0]?.n)
}

const untilDone = async (client: Client): Promise<void> => {
  for (const deadline = Date.now() + patience; Date.now() < deadline; await sleep(1_000)) {
    const { rows } = await client.query(`select from jobs where state <> 'done' limit 1`)
    if (rows.length === 0) return
  }
  throw new Error('The jobs were not done in time')
}

/** Through outbox, sweeper, queue, claim and completion. */
const measure = async ({ api }: Stack, client: Client) => {
  await client.query('truncate jobs cascade')
  await client.query(enqueueAll, [count])
  const before = await commitsOf(client)
  // Its second sweep, 30 s later, is not waited for.
  fireCron(api, '* * * * *').catch(() => undefined)
  await untilDone(client)
  await sleep(1_500) // backends report what they committed once a second
  const after = await commitsOf(client)
  const { rows } = await client.query<{ seconds: number; polls: number }>(
    `select extract(epoch from max(finished_at) - min(started_at))::float as seconds from jobs join job_attempts on job_id = id`,
  )
  return { perSecond: count / (rows[0]?.seconds ?? NaN), calls: (after - before) / count }
}

const run: Bench['run'] = async (context) => {
  const opened = []
  try {
    for (const batchSize of batchSizes) opened.push(await openStack(context, batchSize))
    const contenders = Object.fromEntries(
      opened.map(({ stack, client }, n) => [String(batchSizes[n]), () => measure(stack, client)]),
    )
    await inRounds(1, contenders) // to warm up
    const samples = await inRounds(Math.min(context.rounds, 5), contenders)
    const of = (batchSize: number, what: 'perSecond' | 'calls') =>
      (samples[String(batchSize)] ?? []).map((sample) => sample[what])
    const atTen = median(of(10, 'calls'))
    return {
      title: 'Background jobs',
      method: `${count} jobs whose handler does nothing, written in one transaction and sent by the sweeper, through the local
        queue to the consumer of \`npm run dev\`, on a real PostgreSQL; batches of up to 10 or 100, in turn,
        ${Math.min(context.rounds, 5)} rounds after one to warm up. Jobs a second from the first claim to the last
        completion; calls are the transactions that PostgreSQL counted, those of the sweeper and of the bench's own
        questions among them.`,
      tables: [
        {
          head: ['Batch size', 'jobs a second', 'calls to the database for a job'],
          rows: batchSizes.map((batchSize) => [
            String(batchSize),
            showMedian(of(batchSize, 'perSecond'), '/s'),
            median(of(batchSize, 'calls')).toFixed(3),
          ]),
          meaning: `What the machinery of a job costs beside its work: one call claims a batch, and what ends together is
            written together.`,
        },
      ],
      aims: [
        {
          text: `at a batch size of 10 a job costs at most ${aimed} calls beside its handler's own: ${show(atTen)}`,
          met: atTen <= aimed,
        },
      ],
    }
  } finally {
    for (const { close } of opened) await close()
  }
}

export const jobsBench: Bench = { name: 'jobs', about: 'jobs a second through outbox and queue', run }
