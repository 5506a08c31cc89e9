import { quarantineKey, variantsPrefix } from '../keys.ts'
import type { Remains } from '../remains.ts'
import type { UploadRepository } from '../repository.ts'
import type { UploadStore } from '../store.ts'

type Deps = {
  uploads: Pick<UploadRepository, 'forget'>
  store: Pick<UploadStore, 'abort' | 'list' | 'remove'>
}

/** Keys that R2 deletes in one call. */
const maxKeys = 1_000

export type Discard = ReturnType<typeof createDiscard>

/** Takes out of R2 what is left of an upload whose row is gone, then forgets it. May be done again, from its beginning. */
export const createDiscard =
  ({ uploads, store }: Deps) =>
  async ({ uploadId, multipartId }: Remains): Promise<void> => {
    if (multipartId !== null) await store.abort(quarantineKey(uploadId), multipartId)
    await store.remove([quarantineKey(uploadId)])
    for (let more = true; more;) {
      const page = await store.list(variantsPrefix(uploadId), { limit: maxKeys })
      if (page.objects.length > 0) await store.remove(page.objects.map(({ key }) => key))
      more = page.more
    }
    await uploads.forget([uploadId])
  }
