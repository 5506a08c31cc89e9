import { sql, type SQL } from 'drizzle-orm'
import type { Job, JobType } from './catalog.ts'
import { jobs } from './table.ts'

/** The request, or the cron, that caused a job: its log lines and mails carry the same ids. */
export type Origin = { requestId: string; traceparent?: string | undefined }

/** A job that is to be. `subjectId` is what it is about (an order, a report), for finding it. */
export type Draft = Job & { id: string; subjectId?: string; origin: Origin }

/** The queue delivers within seconds; when it has not, the sweeper sends the id again. */
const relayAfter = sql`interval '30 seconds'`

/**
 * For any repository's batch: the job is there when, and only when, the batch commits, and nothing has to be written
 * once its id is in the queue. The same id again changes nothing, nor does it when `condition` is false.
 */
export const enqueue = ({ id, type, payload, subjectId, origin }: Draft, condition?: SQL): SQL => sql`
  insert into ${jobs} (id, type, payload, subject_id, request_id, traceparent, relay_at)
  select ${id}::uuid, ${type}, ${JSON.stringify(payload)}::jsonb, ${subjectId ?? null}::uuid, ${origin.requestId},
    ${origin.traceparent ?? null}, now() + ${relayAfter}
  where ${condition ?? sql`true`} on conflict (id) do nothing`

/** One job a row of `drafts`, a query of id, payload (jsonb) and subject_id. Answers their ids. */
export const enqueueEach = (type: JobType, drafts: SQL, origin: Origin): SQL => sql`
  insert into ${jobs} (id, type, payload, subject_id, request_id, traceparent, relay_at)
  select draft.id, ${type}, draft.payload, draft.subject_id, ${origin.requestId}, ${origin.traceparent ?? null},
    now() + ${relayAfter}
  from (${drafts}) as draft (id, payload, subject_id) on conflict (id) do nothing returning id`
