import { env } from 'cloudflare:workers'
import { readConfig } from '../../src/config.ts'
import { createDatabase } from '../../src/db/client.ts'
import type { JobHandlers } from '../../src/jobs/catalog.ts'
import { createConsumer } from '../../src/jobs/consumer.ts'
import { createDeadLetters } from '../../src/jobs/dead-letters.ts'
import { createJobRepository } from '../../src/jobs/repository.ts'
import type { Delivery } from '../../src/jobs/state.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startOnce } from '../../workers/api.ts'
import { insert, sql } from './edge-sql.ts'

const alert = { jobId: newId(), type: 'ops.alert', failures: 3, error: null }

/** A job as `enqueue` leaves it, or with other columns. */
export const newJob = async (columns: Record<string, unknown> = {}): Promise<string> => {
  const id = newId()
  const now = new Date()
  await insert('jobs', [
    {
      ...{ id, type: 'ops.alert', payload: alert, state: 'pending', run_at: now, relays: 0, attempt: 0 },
      ...{ failures: 0, lost_leases: 0, request_id: newId(), created_at: now },
      relay_at: new Date(now.getTime() + 30_000),
      ...columns,
    },
  ])
  return id
}

export type JobRow = {
  state: string
  attempt: number
  failures: number
  lost_leases: number
  last_error: string | null
  failed: boolean
  waits: number
}

export const jobRow = async (id: string): Promise<JobRow | undefined> => {
  const [row] = await sql<JobRow>(
    `select state, attempt, failures, lost_leases, last_error, failed_at is not null as failed,
      extract(epoch from run_at - now())::float as waits from jobs where id = $1`,
    [id],
  )
  return row
}

export const attemptsOf = async (id: string): Promise<(string | null)[]> => {
  const rows = await sql<{ outcome: string | null }>(
    'select outcome from job_attempts where job_id = $1 order by attempt',
    [id],
  )
  return rows.map(({ outcome }) => outcome)
}

/** Lets time pass for a job: it is due now, and what it leased has ended. */
export const makeDue = async (id: string): Promise<void> => {
  await sql(
    `update jobs set run_at = now(), relay_at = now() - interval '1 second',
      lease_until = case when state = 'running' then now() - interval '1 second' end where id = $1`,
    [id],
  )
}

const notHere = () => Promise.reject(new Error('not here'))
const elsewhere = {
  'apiKey.renew': notHere,
  'mail.send': notHere,
  'report.build': notHere,
  'report.daily': notHere,
  'chat.files': notHere,
  'chat.members': notHere,
  'chat.orderStatus': notHere,
  'inbox.notify': notHere,
  'sessions.ended': notHere,
  'upload.process': notHere,
}

type Fate = 'acked' | number

/** The real consumers over the real database, with a handler of the test's and queues that only remember. */
export const workWith = (
  handler: JobHandlers['ops.alert'] = () => Promise.resolve(),
  others: Partial<JobHandlers> = {},
) => {
  const { log } = startOnce(env)
  const meter = newMeter()
  const jobs = createJobRepository(createDatabase(readConfig(env).database, { log, meter }))
  const buried: string[] = []
  const sent: Delivery[] = []
  const bury = (ids: string[]) => Promise.resolve(void buried.push(...ids))
  const workshop = {
    handlers: { ...elsewhere, 'ops.alert': handler, ...others },
    log,
  }
  const consumer = createConsumer({ jobs, bury, workshopFor: () => workshop, log })
  const dispatcher = { send: (deliveries: readonly Delivery[]) => void sent.push(...deliveries) }
  const deadLetters = createDeadLetters({ jobs, dispatcher, log })

  const deliver = async (queue: { work: typeof consumer.work }, ids: string[]): Promise<Fate[]> => {
    const fates: Fate[] = []
    await queue.work(
      ids.map((id, at) => ({
        id,
        ack: () => void (fates[at] = 'acked'),
        retry: (delay: number) => void (fates[at] = delay),
      })),
    )
    return fates
  }

  return {
    jobs,
    meter,
    buried,
    sent,
    deliver: (...ids: string[]) => deliver(consumer, ids),
    deliverDead: (...ids: string[]) => deliver(deadLetters, ids),
  }
}
