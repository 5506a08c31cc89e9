import { describeError } from '../src/shared/describe-error.ts'
import { newId } from '../src/shared/ids.ts'
import { newMeter } from '../src/shared/meter.ts'
import { startOnce } from './api.ts'

const outcomeOf = (outcome: PromiseSettledResult<number>): number | object =>
  outcome.status === 'fulfilled' ? outcome.value : describeError(outcome.reason)

/** The hourly cron of wrangler.toml: what has expired is deleted. */
export const runSchedule = async ({ cron, scheduledTime }: ScheduledController, env: Env): Promise<void> => {
  const { log, servicesOf } = startOnce(env)
  const context = { log: log.with({ requestId: newId(), cron }), meter: newMeter() }
  const { auth, idempotency } = servicesOf(context)
  // One that fails does not keep the other from its work.
  const [sessions, keys] = await Promise.allSettled([auth.purgeExpired(), idempotency.purgeExpired()])
  context.log.info('expired rows purged', {
    sessions: outcomeOf(sessions),
    idempotencyKeys: outcomeOf(keys),
    scheduledTime: new Date(scheduledTime).toISOString(),
  })
  for (const outcome of [sessions, keys]) if (outcome.status === 'rejected') throw outcome.reason
}
