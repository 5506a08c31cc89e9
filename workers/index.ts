import { serve } from './api.ts'
import { runSchedule } from './jobs.ts'

export { SlidingWindow } from './realtime.ts'

export default { fetch: serve, scheduled: runSchedule } satisfies ExportedHandler<Env>
