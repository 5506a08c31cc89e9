import type { Actor } from '../shared/actor.ts'
import { found } from '../shared/errors.ts'
import { describeError } from '../shared/describe-error.ts'
import { paginate } from '../shared/page.ts'
import type { UploadRepository } from './repository.ts'
import type { ListUploads, Upload } from './schema.ts'
import type { Discard } from './service/discard.ts'

type Deps = {
  uploads: Pick<UploadRepository, 'find' | 'list' | 'remove'>
  discard: Discard
  log: { warn: (message: string, fields: Record<string, unknown>) => void }
}

/** What people ask of their uploads; taking them in is the receiver's. */
export const createUploadService = ({ uploads, discard, log }: Deps) => ({
  async list(actor: Actor, query: ListUploads) {
    const { data, counted } = await uploads.list(actor, query)
    return { data, pagination: paginate(query, counted) }
  },

  get: async (actor: Actor, id: string): Promise<Upload> => found('Upload', await uploads.find(actor, id)),

  /** Gone for everyone with its row; should the objects not go at once, the sweep takes them. */
  async remove(actor: Actor, id: string): Promise<void> {
    const remains = found('Upload', await uploads.remove(actor, id))
    await discard(remains).catch((error: unknown) =>
      log.warn('objects of a deleted upload are left to the sweep', {
        uploadId: id,
        error: describeError(error),
      }),
    )
  },
})
