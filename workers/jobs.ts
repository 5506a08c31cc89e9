import { createServices } from '../src/services.ts'
import { newId } from '../src/shared/ids.ts'
import { newMeter } from '../src/shared/meter.ts'
import { startOnce } from './api.ts'

/** The daily cron of wrangler.toml: sessions that have expired are deleted. */
export const runSchedule = async ({ cron, scheduledTime }: ScheduledController, env: Env): Promise<void> => {
  const { config, log } = startOnce(env)
  const context = { log: log.with({ requestId: newId(), cron }), meter: newMeter() }
  const purged = await createServices(config, context).auth.purgeExpired()
  context.log.info('expired sessions purged', {
    purged,
    scheduledTime: new Date(scheduledTime).toISOString(),
  })
}
