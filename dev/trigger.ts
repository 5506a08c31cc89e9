// `npm run trigger -- cron '<expression>'` runs one cron of the stack that is running, `-- job <type> <argument>` a job.
import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { Job } from '../src/jobs/catalog.ts'
import { newId } from '../src/shared/ids.ts'
import { fireCron, readCrons } from './clock.ts'
import { lockHolder } from './lock.ts'
import { openState, type DevInfo } from './state.ts'

const root = join(import.meta.dirname, '..')

/** Of each type that makes sense by hand: the name of its one argument. */
const argumentOf: Record<string, string> = { 'report.daily': 'day' }

/** The cron that sweeps: what is due is sent to the queue. */
const sweeper = '* * * * *'

const crons = readCrons(join(root, 'wrangler.toml'))
const known = crons.map((one) => `'${one}'`).join(', ')
const usage = `Usage: npm run trigger -- cron '<expression>', with one of: ${known}; or -- job <type> <argument>, with one of: ${Object.entries(
  argumentOf,
)
  .map(([type, argument]) => `${type} <${argument}>`)
  .join(', ')}.`

function running(): DevInfo {
  const folder = process.env.STATE_DIR || '.local'
  const state = openState(resolve(root, folder))
  const info = lockHolder(state.paths.lock) && state.readInfo()
  if (!info?.urls.api) throw new Error(`Nothing is running on ${folder}: start it with \`npm run dev\`.`)
  return info
}

async function runCron(cron: string): Promise<string> {
  if (!crons.includes(cron)) throw new Error(`'${cron}' is no cron of wrangler.toml; known: ${known}.`)
  await fireCron(running().urls.api ?? '', cron)
  return `${cron}: ok`
}

/** Writes the job as the outbox would, due at once, and lets the sweeper find it; answers once it has ended. */
async function runJob(type: string, argument: string): Promise<string> {
  const name = argumentOf[type]
  if (name === undefined) throw new Error(`'${type}' is no job to make by hand. ${usage}`)
  const parsed = Job.safeParse({ type, payload: { [name]: argument } })
  if (!parsed.success) throw new Error(`'${argument}' is no ${name} of ${type}. ${usage}`)
  const { urls, databaseUrl } = running()
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const id = newId()
    await client.query(
      `insert into jobs (id, type, payload, request_id, relay_at) values ($1, $2, $3, $4, now())`,
      [id, type, parsed.data.payload, `trigger-${randomUUID()}`],
    )
    // Its second sweep comes 30 s later: nobody waits for that.
    fireCron(urls.api ?? '', sweeper).catch(() => undefined)
    return `${type} ${argument}: job ${id} is ${await untilEnded(client, id)}`
  } finally {
    await client.end()
  }
}

async function untilEnded(client: pg.Client, id: string): Promise<string> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const { rows } = await client.query<{ state: string; last_error: string | null }>(
      'select state, last_error from jobs where id = $1',
      [id],
    )
    const [job] = rows
    if (job?.state === 'done') return 'done'
    if (job?.last_error) throw new Error(`Job ${id} failed: ${job.last_error}`)
    if (Date.now() > deadline) return job?.state ?? 'gone'
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

try {
  const [kind, ...rest] = process.argv.slice(2)
  const [first, second, ...more] = rest
  if (kind === 'cron' && first !== undefined && second === undefined) {
    process.stdout.write(`${await runCron(first)}\n`)
  } else if (kind === 'job' && first !== undefined && second !== undefined && more.length === 0) {
    process.stdout.write(`${await runJob(first, second)}\n`)
    // The cron's request is still open.
    process.exit()
  } else throw new Error(usage)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
