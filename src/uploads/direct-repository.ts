import { sql, type SQL } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { dataOf } from '../db/page.ts'
import type { Actor } from '../shared/actor.ts'
import { uploadJson } from './json.ts'
import type { MediaType } from './media-type.ts'
import type { Upload } from './schema.ts'
import { changeState, deleteUploads, isStale } from './statements.ts'

/** An upload that a client sends straight to R2; of a multipart upload both ids have to be right. */
export type Direct = { id: string } & ({ way: 'presigned' } | { way: 'multipart'; multipartId: string })

/** What was said of an upload when it began. */
export type Expected = { declaredType: MediaType; reserved: number; sha256: string | null }

/** Of nobody but its owner, administrators included: what goes into it is theirs. */
const isTheirs = ({ id: owner }: Actor, direct: Direct): SQL =>
  sql`uploads.id = ${direct.id} and uploads.owner_id = ${owner} and uploads.way = ${direct.way}
    and uploads.multipart_id is not distinct from ${direct.way === 'multipart' ? direct.multipartId : null}`

const isOpen = sql`uploads.state = 'receiving' and not ${isStale}`

const shown = (where: SQL): SQL => sql`select ${uploadJson} as data from uploads where ${where}`

export type DirectRepository = ReturnType<typeof createDirectRepository>

export const createDirectRepository = ({ read, write }: Database) => ({
  /**
   * Keeps the sweep from an upload that is being completed, for `patience` seconds at least. `expected` is absent when
   * it is not receiving any more; undefined when there is no such upload, or its time is over.
   */
  async hold(
    actor: Actor,
    direct: Direct,
    patience: number,
  ): Promise<{ upload: Upload; expected: Expected | undefined } | undefined> {
    const theirs = isTheirs(actor, direct)
    const [, held, found] = await write([
      actorGuard(actor),
      // Not for ever, however often it is asked.
      sql`update uploads
        set expires_at = greatest(expires_at, least(now() + interval '1 second' * ${patience}, created_at + interval '25 hours'))
        where ${theirs} and ${isOpen}
        returning json_build_object('declaredType', declared_type, 'reserved', reserved, 'sha256', sha256) as data`,
      shown(sql`${theirs} and not ${isStale}`),
    ])
    const [upload] = dataOf<Upload>(found)
    return upload && { upload, expected: dataOf<Expected>(held)[0] }
  },

  /** May parts be sent to it? */
  async isOpen(actor: Actor, direct: Direct): Promise<boolean> {
    const [, found] = await read([
      actorGuard(actor),
      sql`select from uploads where ${isTheirs(actor, direct)} and ${isOpen}`,
    ])
    return found.rowCount === 1
  },

  /** What came is not what may come: false when somebody else has ended it before, and `upload` tells how. */
  async reject(
    actor: Actor,
    direct: Direct,
    { reason, detail }: { reason: string; detail: string },
  ): Promise<{ isMine: boolean; upload: Upload | undefined }> {
    const theirs = isTheirs(actor, direct)
    const [, changed, found] = await write([
      actorGuard(actor),
      changeState({
        to: 'rejected',
        where: sql`${theirs} and uploads.state = 'receiving'`,
        facts: { reason },
        detail,
      }),
      shown(theirs),
    ])
    return { isMine: changed.rows.length === 1, upload: dataOf<Upload>(found)[0] }
  },

  /** Ends what has not been completed; undefined when there is no such upload. */
  async abort(
    actor: Actor,
    direct: Direct,
  ): Promise<{ uploadId: string; multipartId: string | null } | undefined> {
    const [, gone] = await write([
      actorGuard(actor),
      deleteUploads(sql`${isTheirs(actor, direct)} and uploads.state = 'receiving'`),
    ])
    return (gone.rows as { uploadId: string; multipartId: string | null }[])[0]
  },
})
