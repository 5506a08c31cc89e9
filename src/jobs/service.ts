import type { Actor } from '../shared/actor.ts'
import { found } from '../shared/errors.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { redactedValue } from '../shared/redact.ts'
import { jobTypes, type JobType } from './catalog.ts'
import { encodeCursor } from './cursor.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { JobRepository } from './repository.ts'
import type { JobDetail, ListJobs, RedriveJobs } from './schema.ts'

type Deps = { jobs: JobRepository; dispatcher: Dispatcher; requestId: string }

const withoutSecrets = (job: JobDetail): JobDetail => ({
  ...job,
  payload: redactedValue(job.payload) as JobDetail['payload'],
})

/** What administrators see and do; every action leaves an audit entry in its own transaction. */
export const createJobService = ({ jobs, dispatcher, requestId }: Deps) => ({
  async list(actor: Actor, query: ListJobs) {
    const rows = await jobs.list(actor, query)
    const data = rows.slice(0, query.limit)
    const last = data.at(-1)
    const hasMore = rows.length > query.limit
    return {
      data,
      page: { hasMore, nextCursor: hasMore && last ? encodeCursor(last.createdAt, last.id) : null },
    }
  },

  get: async (actor: Actor, id: string): Promise<JobDetail> =>
    withoutSecrets(found('Job', await jobs.find(actor, id))),

  stats: (actor: Actor) => jobs.stats(actor, jobTypes),

  async retry(actor: Actor, id: string, once: IdempotentRequest | undefined): Promise<Reply> {
    const reply = await jobs.retry({ actor, requestId, once }, id)
    if (!reply.replayed) dispatcher.send([{ id }])
    return reply
  },

  async discard(
    actor: Actor,
    id: string,
    reason: string,
    once: IdempotentRequest | undefined,
  ): Promise<Reply> {
    return await jobs.discard({ actor, requestId, once }, id, reason)
  },

  async redrive(actor: Actor, wanted: RedriveJobs, once: IdempotentRequest | undefined): Promise<Reply> {
    const { reply, deliveries } = await jobs.redrive({ actor, requestId, once }, wanted)
    dispatcher.send(deliveries)
    return reply
  },

  pause: (actor: Actor, type: JobType, once: IdempotentRequest | undefined): Promise<Reply> =>
    jobs.pause({ actor, requestId, once }, type),

  resume: (actor: Actor, type: JobType, once: IdempotentRequest | undefined): Promise<Reply> =>
    jobs.resume({ actor, requestId, once }, type),
})
