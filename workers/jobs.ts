import { newId } from '../src/shared/ids.ts'
import { newMeter } from '../src/shared/meter.ts'
import { startOnce } from './api.ts'

/** The hourly cron of wrangler.toml: what has expired is deleted. */
export const runSchedule = async ({ cron, scheduledTime }: ScheduledController, env: Env): Promise<void> => {
  const { log, servicesOf } = startOnce(env)
  const context = { log: log.with({ requestId: newId(), cron }), meter: newMeter() }
  const { auth, idempotency } = servicesOf(context)
  context.log.info('expired rows purged', {
    sessions: await auth.purgeExpired(),
    idempotencyKeys: await idempotency.purgeExpired(),
    scheduledTime: new Date(scheduledTime).toISOString(),
  })
}
