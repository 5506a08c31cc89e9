import { sql } from 'drizzle-orm'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { iso } from '../db/json.ts'
import { dataOf } from '../db/page.ts'
import type { Actor } from '../shared/actor.ts'
import { isPublic, isReadableBy } from './access-statements.ts'
import type { UploadState } from './state.ts'
import type { StoredVariant, VariantName } from './variant.ts'

/** A file as whoever may read it finds it; `variant` is null where it has none of that name. */
export type FoundFile = {
  id: string
  ownerId: string
  name: string
  status: UploadState
  isPublic: boolean
  updatedAt: string
  variant: StoredVariant | null
}

export type FileRepository = ReturnType<typeof createFileRepository>

export const createFileRepository = ({ read }: Database) => ({
  /** Undefined where there is none, or none for this actor; whoever has a link needs no other right. */
  async find(
    actor: Actor | undefined,
    { id, variant }: { id: string; variant: VariantName },
    hasLink: boolean,
  ): Promise<FoundFile | undefined> {
    const [, found] = await read([
      actor && actorGuard(actor),
      sql`select json_build_object('id', id, 'ownerId', owner_id, 'name', name, 'status', state, 'isPublic', ${isPublic},
          'updatedAt', ${iso('updated_at')}, 'variant', variants -> ${variant}::text) as data
        from uploads where id = ${id} and ${hasLink ? sql`true` : isReadableBy(actor)}`,
    ])
    return dataOf<FoundFile>(found)[0]
  },
})
