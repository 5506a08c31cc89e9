import { getTableColumns, sql, type SQL } from 'drizzle-orm'
import { derivedId } from '../db/derived-id.ts'
import { ended, occupying, predecessorsOf, type UploadState } from './state.ts'
import { uploads } from './table.ts'

const listOf = (values: readonly string[]): SQL =>
  sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  )

export const inStates = (states: readonly UploadState[]): SQL => sql`uploads.state in (${listOf(states)})`

/** Whoever received it is gone, and nobody has noticed yet. */
export const isStale = sql`(uploads.state = 'receiving' and uploads.expires_at <= now())`

/** What counts against its owner's quota, and how much of it. */
export const occupies = sql`(${inStates(occupying)} and not ${isStale})`
export const occupied = sql`coalesce(uploads.size, uploads.reserved)`

/** Only the run that holds the row may go on with it. */
export const heldBy = ({ uploadId, runId }: { uploadId: string; runId: string }): SQL =>
  sql`uploads.id = ${uploadId} and uploads.run_id = ${runId}`

type Facts = Partial<
  Pick<typeof uploads.$inferInsert, 'mediaType' | 'size' | 'sha256' | 'etag' | 'jobId' | 'runId' | 'scan'>
>

/** What holds in one state only, and is forgotten in every other. */
type OfState = Partial<Pick<typeof uploads.$inferInsert, 'reason' | 'signature' | 'variants'>>

type Change = {
  to: UploadState
  /** Whose state is changed, and what fences it. */
  where: SQL
  facts?: Facts & OfState
  /** For the owner to read in the history. */
  detail?: string | undefined
}

/** Of the job that tells the owner how it ended: the same whoever makes it. */
const noticeId = derivedId(sql`'upload notice ' || changed.id::text || ' ' || changed.state`)

/**
 * For a batch: the change and its entry in the history, in one statement, and once it has ended a notification of its
 * owner. Answers the ids of what was changed, none when the fence or the present state does not admit it, and of the
 * jobs that notify.
 */
export const changeState = ({ to, where, facts = {}, detail }: Change): SQL => {
  const columns = getTableColumns(uploads)
  const kept = to === 'processing' || to === 'failed'
  const values = { reason: null, signature: null, variants: null, ...(!kept && { made: null }), ...facts }
  const sets = Object.entries(values).map(([key, value]) => {
    const { name } = columns[key as keyof typeof values]
    const shown =
      key === 'variants' && value !== null ? sql`${JSON.stringify(value)}::jsonb` : sql`${value ?? null}`
    return sql`${sql.identifier(name)} = ${shown}`
  })
  return sql`
    with changed as (
      update uploads set state = ${to}, expires_at = null, updated_at = now(), ${sql.join(sets, sql`, `)}
      where (${where}) and ${inStates(predecessorsOf(to))} returning id, owner_id, state
    ),
    told as (insert into upload_events (upload_id, state, detail) select id, ${to}, ${detail ?? null} from changed),
    notified as (
      insert into jobs (id, type, payload, subject_id, request_id, relay_at)
      select ${noticeId}, 'inbox.notify', jsonb_build_object('userId', owner_id, 'subject',
          jsonb_build_object('kind', 'upload', 'uploadId', id, 'status', state)), id, 'upload.' || id, now()
      from changed where state in (${listOf(ended)}) on conflict (id) do nothing returning id
    )
    select id, ${noticeId} as notice from changed`
}

/** Failed: the uploads whose jobs, of these, were given up. In the transaction that does so. */
export const failUploadsOf = (jobIds: readonly string[]): SQL =>
  changeState({
    to: 'failed',
    where: sql`${inStates(['scanning', 'processing'])}
      and uploads.job_id in (select value::uuid from json_array_elements_text(${JSON.stringify(jobIds)}::json))
      and exists (select from jobs where jobs.id = uploads.job_id and jobs.state in ('dead', 'discarded'))`,
    facts: { reason: 'given_up' },
    detail: 'It could not be processed; the operators are told',
  })

/**
 * Deletes rows, and in the same statement writes down what may still be of them in R2: whoever dies before that is
 * removed leaves it to the sweep. Answers the remains.
 */
export const deleteUploads = (where: SQL): SQL => sql`
  with gone as (delete from uploads where ${where} returning id, multipart_id),
  remaining as (
    insert into upload_remains (upload_id, multipart_id) select id, multipart_id from gone on conflict do nothing
  )
  select id as "uploadId", multipart_id as "multipartId" from gone`
