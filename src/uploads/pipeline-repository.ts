import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { derivedId } from '../db/derived-id.ts'
import { dataOf } from '../db/page.ts'
import { enqueueEach, type Origin } from '../jobs/outbox.ts'
import type { MediaType } from './media-type.ts'
import type { ScanVerdict } from './state.ts'
import { changeState, heldBy, inStates } from './statements.ts'
import type { StoredVariant, StoredVariants, VariantName } from './variant.ts'

/** Of one attempt of the job: fences every write of it, and names its objects. */
export type Run = { uploadId: string; runId: string }

/** An upload that a run has taken hold of. */
export type Taken = Run & {
  state: 'scanning' | 'processing'
  mediaType: MediaType
  size: number
  etag: string
  /** What runs before this one have made already. */
  made: StoredVariants
}

/** The outcome is in the row: what is left is to delete all objects but those of `variants`. */
export type Settled = { settled: true; variants: StoredVariants }

export type Refusal = { reason: string; detail: string }

export type PipelineRepository = ReturnType<typeof createPipelineRepository>

/** What the job does to rows. Its changes answer false, and change nothing, once another run holds the row. */
export const createPipelineRepository = ({ write }: Database) => ({
  /**
   * Takes hold of an upload for a run of this job: whoever held it before can change it no more. One that was given up is
   * revived. `gone`: its owner has deleted it. `idle`: it is not whole yet, or the job is not running (any more).
   */
  async take({ uploadId, runId }: Run, jobId: string): Promise<Taken | Settled | 'gone' | 'idle'> {
    const isRunning = sql`exists (select from jobs where jobs.id = ${jobId} and jobs.state = 'running')`
    const given = (scanned: boolean) =>
      sql`uploads.id = ${uploadId} and uploads.state = 'failed' and ${isRunning} and (uploads.scan is not null) = ${scanned}`
    const [, , , , found] = await write([
      sql`select 1 from uploads where id = ${uploadId} for no key update`,
      changeState({ to: 'scanning', where: given(false) }),
      changeState({ to: 'processing', where: given(true) }),
      sql`update uploads set run_id = ${runId}, job_id = ${jobId}, updated_at = now()
        where id = ${uploadId} and ${inStates(['scanning', 'processing'])} and ${isRunning}`,
      sql`select json_build_object(
          'state', state, 'held', coalesce(run_id = ${runId}, false), 'variants', variants,
          'taken', json_build_object('uploadId', id, 'runId', run_id, 'state', state, 'mediaType', media_type, 'size', size,
            'etag', etag, 'made', coalesce(made, '{}'))) as data
        from uploads where id = ${uploadId}`,
    ])
    const [row] = dataOf<{
      state: string
      held: boolean
      variants: StoredVariants | null
      taken: Taken
    }>(found)
    if (row === undefined) return 'gone'
    if (row.held) return row.taken
    if (['ready', 'infected', 'rejected'].includes(row.state)) {
      return { settled: true, variants: row.variants ?? {} }
    }
    return 'idle'
  },

  async scanned(run: Run, scan: ScanVerdict): Promise<boolean> {
    const detail = scan === 'clean' ? 'Nothing was found' : 'Not scanned: no scanner is set up'
    const change = changeState({ to: 'processing', where: heldBy(run), facts: { scan }, detail })
    const [{ rowCount }] = await write([change])
    return rowCount === 1
  },

  async note(run: Run, name: VariantName, variant: StoredVariant): Promise<boolean> {
    const [{ rowCount }] = await write([
      sql`update uploads set made = coalesce(made, '{}') || ${JSON.stringify({ [name]: variant })}::jsonb, updated_at = now()
        where ${heldBy(run)} and state = 'processing'`,
    ])
    return rowCount === 1
  },

  /** The id of the job that notifies the owner; undefined when the run has lost its hold. */
  async complete(run: Run, variants: StoredVariants): Promise<string | undefined> {
    const [{ rows }] = await write([changeState({ to: 'ready', where: heldBy(run), facts: { variants } })])
    return rows[0] && String(rows[0]['notice'])
  },

  async reject(run: Run, { reason, detail }: Refusal): Promise<boolean> {
    const change = changeState({ to: 'rejected', where: heldBy(run), facts: { reason }, detail })
    const [{ rowCount }] = await write([change])
    return rowCount === 1
  },

  /**
   * Infected, and in the same transaction the jobs that tell its owner and the operators: their ids. Undefined when the
   * run has lost its hold.
   */
  async infect(run: Run, signature: string, origin: Origin): Promise<string[] | undefined> {
    const isMine = sql`${heldBy(run)} and uploads.state = 'infected'`
    const id = (of: string) => derivedId(sql`${of}::text || ' ' || uploads.id::text`)
    const mail = (template: string) => sql`
      select ${id(template)}, jsonb_build_object('template', ${template}::text, 'userId', owner_id,
        'file', jsonb_build_object('id', id, 'name', name, 'found', signature)), id
      from uploads where ${isMine}`
    const [{ rowCount }, mails, alerts] = await write([
      changeState({ to: 'infected', where: heldBy(run), facts: { signature }, detail: signature }),
      enqueueEach('mail.send', sql`${mail('fileInfected')} union all ${mail('infectedAlert')}`, origin),
      enqueueEach(
        'ops.alert',
        sql`select ${id('infected')}, jsonb_build_object('infected', id, 'ownerId', owner_id, 'found', signature), id
          from uploads where ${isMine}`,
        origin,
      ),
    ])
    return rowCount === 1 ? [...mails.rows, ...alerts.rows].map((row) => String(row['id'])) : undefined
  },
})
