import { and, eq, sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { one } from '../db/one.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseIf, raiseWhen } from '../db/raise.ts'
import { orderBy } from '../db/sort.ts'
import { withinReach } from '../db/within-reach.ts'
import { enqueue, type Draft } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { offsetOf } from '../shared/page.ts'
import { isAttached } from './access-statements.ts'
import { uploadJson } from './json.ts'
import type { MediaType } from './media-type.ts'
import type { Quota } from './quota.ts'
import type { Remains } from './remains.ts'
import type { ListUploads, Upload } from './schema.ts'
import type { Way } from './state.ts'
import { changeState, deleteUploads, isStale, occupied, occupies } from './statements.ts'
import { uploads } from './table.ts'

/** An upload that is to be. */
export type NewUpload = {
  id: string
  clientId: string | undefined
  name: string
  declaredType: MediaType
  /** Bytes: its size, or the most that it may have. */
  reserved: number
  way: Way
  /** What the client has said, where R2 verifies it. */
  sha256?: string
  multipartId?: string
  /** Seconds for which it is waited for, unless `hold` puts it off. */
  patience: number
}

/** What came in. */
export type Received = { mediaType: MediaType; size: number; sha256: string; etag: string }

/** Uploads of others do not exist, except to administrators. */
const reachable = (actor: Actor, action: 'uploads.read' | 'uploads.remove'): SQL =>
  withinReach(actor, action, eq(uploads.ownerId, actor.id))

const lockOwner = ({ id }: Actor): SQL => sql`select 1 from users where id = ${id} for no key update`

const shown = (where: SQL): SQL => sql`select ${uploadJson} as data from uploads where ${where}`

export type UploadRepository = ReturnType<typeof createUploadRepository>

export const createUploadRepository = ({ read, write }: Database) => ({
  /**
   * Makes the row, its share of the quota set aside, or finds the one that the client's id names already. Whoever
   * begins holds the lock of the owner's row: of two at the same moment the second sees what the first has taken.
   * @throws QUOTA_EXCEEDED
   */
  async begin(actor: Actor, made: NewUpload, quota: Quota): Promise<{ isNew: boolean; upload: Upload }> {
    const { id, clientId = null, name, declaredType, reserved, way, patience } = made
    const { sha256 = null, multipartId = null } = made
    const ofClient = sql`uploads.owner_id = ${actor.id} and uploads.client_id = ${clientId}`
    const isThere = sql`exists (select from uploads where ${ofClient})`
    const [, , , , , , found] = await write([
      actorGuard(actor),
      lockOwner(actor),
      actorGuard(actor),
      deleteUploads(sql`${ofClient} and ${isStale}`),
      raiseIf(
        'QUOTA_EXCEEDED',
        sql`select json_build_object(
            'files', json_build_object('used', used.files, 'limit', ${quota.files}::bigint),
            'bytes', json_build_object('used', used.bytes, 'limit', ${quota.bytes}::bigint, 'asked', ${reserved}::bigint))
          from (
            select count(*) as files, coalesce(sum(${occupied}), 0) as bytes from uploads
            where owner_id = ${actor.id} and ${occupies}
          ) as used
          where not ${isThere} and (used.files + 1 > ${quota.files} or used.bytes + ${reserved} > ${quota.bytes})`,
      ),
      sql`with made as (
          insert into uploads (id, owner_id, client_id, name, declared_type, reserved, way, sha256, multipart_id, expires_at)
          select ${id}, ${actor.id}, ${clientId}, ${name}, ${declaredType}, ${reserved}, ${way}, ${sha256},
            ${multipartId}, now() + interval '1 second' * ${patience}
          where not ${isThere} returning id, state
        )
        insert into upload_events (upload_id, state) select id, state from made`,
      shown(sql`uploads.id = ${id} or (${ofClient})`),
    ])
    const upload = one(dataOf<Upload>(found)[0])
    return { isNew: upload.id === id, upload }
  },

  /** Whoever receives is still there; false when the row is not theirs any more. */
  async hold(id: string, patience: number, multipartId?: string): Promise<boolean> {
    const [{ rowCount }] = await write([
      sql`update uploads set expires_at = now() + interval '1 second' * ${patience},
          multipart_id = coalesce(${multipartId ?? null}, multipart_id)
        where id = ${id} and state = 'receiving'`,
    ])
    return rowCount === 1
  },

  /**
   * The bytes are whole and in quarantine: from here on the job has them. Undefined when the row is gone; it is another's
   * when somebody else has finished it before.
   */
  async finish(
    actor: Actor,
    id: string,
    received: Received,
    job: Draft,
  ): Promise<{ isMine: boolean; upload: Upload } | undefined> {
    const [, , , mine, found] = await write([
      actorGuard(actor),
      changeState({
        to: 'scanning',
        where: sql`uploads.id = ${id} and uploads.owner_id = ${actor.id} and uploads.state = 'receiving'`,
        facts: { ...received, jobId: job.id },
      }),
      enqueue(job, sql`exists (select from uploads where id = ${id} and job_id = ${job.id})`),
      sql`select from uploads where id = ${id} and job_id = ${job.id}`,
      shown(sql`uploads.id = ${id}`),
    ])
    const [upload] = dataOf<Upload>(found)
    return upload && { isMine: mine.rowCount === 1, upload }
  },

  /** Gives up what is still receiving. Answers its remains, or the upload as it is when it was finished after all. */
  async abandon(id: string): Promise<{ remains: Remains | undefined; upload: Upload | undefined }> {
    const [gone, found] = await write([
      deleteUploads(sql`uploads.id = ${id} and uploads.state = 'receiving'`),
      shown(sql`uploads.id = ${id}`),
    ])
    return { remains: (gone.rows as Remains[])[0], upload: dataOf<Upload>(found)[0] }
  },

  /**
   * Deletes the row whatever its state: a run of its job that is under way loses its hold.
   * @throws NOT_FOUND, FILE_IN_USE
   */
  async remove(actor: Actor, id: string): Promise<Remains | undefined> {
    const mine = and(eq(uploads.id, id), reachable(actor, 'uploads.remove'))
    const [, , , , , gone] = await write([
      actorGuard(actor),
      // Whoever attaches it at this moment has done so, or will not find it.
      sql`select from uploads where ${mine} for update`,
      actorGuard(actor),
      raiseWhen('NOT_FOUND', sql`not exists (select from uploads where ${mine})`),
      raiseWhen('FILE_IN_USE', sql`exists (select from uploads where id = ${id} and ${isAttached})`),
      deleteUploads(sql`uploads.id = ${id}`),
    ])
    return (gone.rows as Remains[])[0]
  },

  /** Nothing is left in R2 of these. */
  async forget(uploadIds: readonly string[]): Promise<void> {
    await write([
      sql`delete from upload_remains
        where upload_id in (select value::uuid from json_array_elements_text(${JSON.stringify(uploadIds)}::json))`,
    ])
  },

  async find(actor: Actor, id: string): Promise<Upload | undefined> {
    const where = and(eq(uploads.id, id), reachable(actor, 'uploads.read')) ?? sql`false`
    const [, found] = await read([actorGuard(actor), shown(where)])
    return dataOf<Upload>(found)[0]
  },

  async list(actor: Actor, query: ListUploads) {
    const where = and(
      reachable(actor, 'uploads.read'),
      query.ownerId === undefined ? undefined : eq(uploads.ownerId, query.ownerId),
      query.status === undefined ? undefined : eq(uploads.state, query.status),
    )
    const [, counted, rows] = await read([
      actorGuard(actor),
      countUpTo(uploads, where),
      pageOf({
        table: uploads,
        json: uploadJson,
        where,
        order: orderBy(query.sort, { createdAt: uploads.createdAt }, uploads.id),
        limit: query.limit,
        offset: offsetOf(query),
      }),
    ])
    return { data: dataOf<Upload>(rows), counted: countOf(counted) }
  },
})
