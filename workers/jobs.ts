import { JobMessage } from '../src/jobs/producer.ts'
import { sleep } from '../src/shared/backoff.ts'
import { describeError } from '../src/shared/describe-error.ts'
import { newId } from '../src/shared/ids.ts'
import { newMeter } from '../src/shared/meter.ts'
import { joinTrace } from '../src/shared/trace.ts'
import { startOnce } from './api.ts'

/** The services of an invocation that no request caused. */
const begin = (env: Env, context: Pick<ExecutionContext, 'waitUntil'>, fields: Record<string, unknown>) => {
  const { log: base, servicesOf } = startOnce(env)
  const { traceId, traceparent } = joinTrace(undefined)
  const origin = { requestId: newId(), traceparent }
  const log = base.with({ requestId: origin.requestId, traceId, ...fields })
  const after = (work: Promise<void>) => context.waitUntil(work)
  return { log, services: servicesOf({ log, meter: newMeter(), origin, after }) }
}

/** Both queues: the one of the jobs, and the one of those that have failed. */
export const runQueue = async (batch: MessageBatch, env: Env, context: ExecutionContext): Promise<void> => {
  const { log, services } = begin(env, context, { queue: batch.queue })
  const messages = batch.messages.flatMap((message) => {
    const { success, data } = JobMessage.safeParse(message.body)
    if (!success) {
      log.error('message of a queue is not ours', { messageId: message.id })
      message.ack()
      return []
    }
    const retry = (delaySeconds: number) => message.retry({ delaySeconds })
    return [{ id: data.id, ack: () => message.ack(), retry }]
  })
  const { work } = batch.queue.endsWith('-dead') ? services.deadLetters : services.consumer
  await work(messages)
}

/** Milliseconds between the two sweeps of a minute: a job that was lost waits half as long. */
const betweenSweeps = 30_000

const outcomeOf = (outcome: PromiseSettledResult<number>): number | object =>
  outcome.status === 'fulfilled' ? outcome.value : describeError(outcome.reason)

const purge = async ({
  log,
  services: { apiKeys, auth, idempotency, mail, purgeJobs, recovery },
}: ReturnType<typeof begin>) => {
  // One that fails does not keep the others from their work.
  const outcomes = await Promise.allSettled([
    auth.purgeExpired(),
    idempotency.purgeExpired(),
    purgeJobs(),
    mail.purgeExpired(),
    recovery.purgeExpired(),
    apiKeys.purgeExpired(),
  ])
  const [sessions, idempotencyKeys, jobs, mailRecords, mailedTokens, keys] = outcomes.map(outcomeOf)
  log.info('expired rows purged', {
    sessions,
    idempotencyKeys,
    jobs,
    mailRecords,
    mailedTokens,
    apiKeys: keys,
  })
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

const sweep = async (
  { log, services: { sweeper } }: ReturnType<typeof begin>,
  now: Date,
  wait: typeof sleep,
) => {
  const scheduled = await sweeper.schedule(now)
  const first = await sweeper.sweep()
  await wait(betweenSweeps)
  const relayed = first + (await sweeper.sweep())
  if (scheduled + relayed > 0) log.info('jobs swept', { scheduled, relayed })
}

const sweepUploads = async ({ log, services: { uploadSweeper } }: ReturnType<typeof begin>) => {
  const { orphans, stale, ownerless, remains, missing, objects, isComplete } = await uploadSweeper.sweep()
  const fields = {
    objects,
    orphans: orphans.count,
    stale: stale.count,
    ownerless: ownerless.count,
    remains: remains.count,
    missing: missing.count,
  }
  if (missing.count > 0 || !isComplete) log.warn('uploads swept', { ...fields, isComplete })
  else log.info('uploads swept', fields)
}

/** One that fails does not keep the other from its work. */
const hourly = async (begun: ReturnType<typeof begin>): Promise<void> => {
  const outcomes = await Promise.allSettled([purge(begun), sweepUploads(begun)])
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** The crons of wrangler.toml: each minute the jobs, each hour what has expired and what nothing refers to. */
export const runSchedule = async (
  { cron, scheduledTime }: ScheduledController,
  env: Env,
  context: ExecutionContext,
  wait = sleep,
): Promise<void> => {
  const begun = begin(env, context, { cron })
  if (cron === '* * * * *') await sweep(begun, new Date(scheduledTime), wait)
  else await hourly(begun)
}
