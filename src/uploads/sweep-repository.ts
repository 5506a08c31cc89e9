import { sql, type SQL } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import type { Actor } from '../shared/actor.ts'
import type { Remains } from './remains.ts'
import type { Prefix, Span } from './span.ts'
import { ended, quarantined } from './state.ts'
import { sweepBatch } from './sweep-batch.ts'
import { changeState, deleteUploads, inStates, isStale } from './statements.ts'
import { isAttached } from './access-statements.ts'

/** What a row needs and the listing lacks. */
export type Missing = { key: string; uploadId: string }

/** A row that was changed since then may refer to what was put after the listing. */
const settled = sql`uploads.updated_at < now() - interval '1 hour'`

/** What a row needs of what lies under a prefix, as (key, id). */
const needed: Record<Prefix, SQL> = {
  'quarantine/': sql`select 'quarantine/' || uploads.id as key, uploads.id from uploads
    where ${inStates(['scanning', 'processing', 'failed'])} and etag is not null and ${settled}`,
  'files/': sql`select variant.value->>'key' as key, uploads.id
    from uploads cross join jsonb_each(uploads.variants) as variant where uploads.state = 'ready' and ${settled}`,
}

/** Is the object of `listed` of any use to the row of its upload? */
const isNeeded: Record<Prefix, SQL> = {
  'quarantine/': inStates(quarantined),
  // What a run has written belongs to nobody until the row says so: while one may still be under way, or go on with what
  // another has made, it stays.
  'files/': sql`(${inStates(['scanning', 'processing', 'failed'])} or exists (
    select from jsonb_each(uploads.variants) as variant where variant.value->>'key' = listed.key))`,
}

/** Its owner is gone for good, and nothing shows it. */
const isOwnerless = sql`(${inStates(ended)} and not ${isAttached}
  and exists (select from users where users.id = uploads.owner_id and users.deleted_at < now() - interval '30 days'))`

const countAndIds = (which: SQL): SQL =>
  sql`select count(*)::int as count, (array_agg(id::text order by id))[1:10] as ids from uploads where ${which}`

export type SweepRepository = ReturnType<typeof createSweepRepository>

export const createSweepRepository = ({ read, write }: Database) => {
  /** Deletes rows, some at a time; locked first, so that nothing attaches one between the look and the deletion. */
  const removeSome = async (which: SQL): Promise<Remains[]> => {
    const [, { rows }] = await write([
      sql`select from uploads where ${which} order by id limit ${sweepBatch} for update`,
      deleteUploads(
        sql`uploads.id in (select id from uploads where ${which} order by id limit ${sweepBatch}) and ${which}`,
      ),
    ])
    return rows as Remains[]
  }

  return {
    /** May this administrator sweep? What is not a dry run is written into the audit. */
    async authorize(actor: Actor, requestId: string, dryRun: boolean): Promise<void> {
      const changes = sql`select 'uploads', null::jsonb, null::jsonb`
      await write([
        actorGuard(actor),
        dryRun ? undefined : recordAudit({ actor, requestId, action: 'uploads.swept', changes }),
      ])
    },

    /** What `removeStale` and `removeOwnerless` would take. */
    async findRows() {
      const found = await read([isStale, isOwnerless].map(countAndIds))
      const [stale, ownerless] = found.map(({ rows: [row] }) => ({
        count: Number(row?.['count'] ?? 0),
        samples: (row?.['ids'] ?? []) as string[],
      }))
      return { stale, ownerless }
    },

    /** Uploads that nobody sends any more. The condition is asked again of each row as it is then. */
    removeStale: async (): Promise<Remains[]> => await removeSome(isStale),

    /** Uploads of accounts that were deleted a month ago, unless something still shows them. */
    removeOwnerless: async (): Promise<Remains[]> => await removeSome(isOwnerless),

    /** What whoever deleted a row should have taken away by now; the oldest first. */
    async remains(after: string | undefined): Promise<Remains[]> {
      const [{ rows }] = await read([
        sql`select upload_id as "uploadId", multipart_id as "multipartId" from upload_remains
        where at < now() - interval '10 minutes' and (${after ?? null}::uuid is null or upload_id > ${after ?? null}::uuid)
        order by upload_id limit ${sweepBatch}`,
      ])
      return rows as Remains[]
    },

    /** Both ways for one page of a listing: old objects that no row needs, and what rows need that is not listed. */
    async compare({
      prefix,
      listed,
      from,
      before,
    }: Span): Promise<{ orphans: string[]; missing: Missing[] }> {
      const objects = sql`json_to_recordset(${JSON.stringify(listed)}::json)
      as listed(key text, "uploadId" uuid, "isOld" boolean)`
      const [orphans, missing] = await read([
        sql`select key from ${objects} where "isOld"
        and not exists (select from uploads where uploads.id = listed."uploadId" and ${isNeeded[prefix]})`,
        sql`select needed.key, needed.id as "uploadId"
        from (${needed[prefix]} and (${from ?? null}::uuid is null or uploads.id >= ${from ?? null}::uuid)
          and (${before ?? null}::uuid is null or uploads.id < ${before ?? null}::uuid)) as needed
        where not exists (select from ${objects} where listed.key = needed.key)`,
      ])
      return { orphans: orphans.rows.map(({ key }) => String(key)), missing: missing.rows as Missing[] }
    },

    /** An object is gone that the row needs: what is there of it is not shown as if it were whole. */
    async fail({ uploadId, key }: Missing): Promise<void> {
      await write([
        changeState({
          to: 'failed',
          where: sql`uploads.id = ${uploadId} and ${settled} and exists (
          select from (${needed['quarantine/']} union all ${needed['files/']}) as needed
          where needed.id = uploads.id and needed.key = ${key})`,
          facts: { reason: 'object_missing' },
          detail: 'Its bytes are not in the store any more',
        }),
      ])
    },
  }
}
