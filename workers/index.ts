import { serve } from './api.ts'
import { runQueue, runSchedule } from './jobs.ts'

export { ApiKey, ChatRoom, Inbox, SlidingWindow } from './realtime.ts'

export default {
  fetch: serve,
  queue: runQueue,
  scheduled: (controller, env, context) => runSchedule(controller, env, context),
} satisfies ExportedHandler<Env>
