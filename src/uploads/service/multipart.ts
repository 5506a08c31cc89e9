import type { Actor } from '../../shared/actor.ts'
import { AppError, found, invalid, notFound } from '../../shared/errors.ts'
import { maxParts, multipartPatience, signedFor } from '../direct.ts'
import type { Direct } from '../direct-repository.ts'
import { quarantineKey, uploadIdIn } from '../keys.ts'
import type { Part } from '../s3.ts'
import type { BeginMultipart, CompletedPart } from '../schema.direct.ts'
import { admittedType, createCompletion, signerOf, type DirectDeps } from './direct.ts'

/** How Uppy names an upload: R2's id of it, and the key of the object. */
export type Named = { key: string; uploadId: string }

const unquoted = (etag: string): string => etag.replaceAll('"', '')

/** Uploads in signed parts to R2, in the steps of S3. */
export const createMultipartUploads = (deps: DirectDeps) => {
  const { uploads, directs, store, discard, s3, newId, maxBytes, quota } = deps
  const complete = createCompletion(deps)

  const directOf = ({ key, uploadId }: Named): Direct => {
    const id = found('Upload', uploadIdIn(key))
    return { id, way: 'multipart', multipartId: uploadId }
  }

  const demandOpen = async (actor: Actor, named: Named): Promise<void> => {
    if (!(await directs.isOpen(actor, directOf(named)))) throw notFound('Upload')
  }

  return {
    /**
     * The size is not known: the most that a file may have is set aside until it is completed.
     * @throws DIRECT_UPLOAD_OFF, UNSUPPORTED_MEDIA_TYPE, QUOTA_EXCEEDED
     */
    async begin(actor: Actor, { filename: name, type }: BeginMultipart): Promise<Named> {
      signerOf(s3)
      const declaredType = admittedType(type)
      const id = newId()
      const key = quarantineKey(id)
      // First in R2, so that its id is in the row from the start.
      const { uploadId } = await store.multipart(key, declaredType)
      try {
        await uploads.begin(
          actor,
          {
            id,
            clientId: undefined,
            name,
            declaredType,
            reserved: maxBytes,
            way: 'multipart',
            multipartId: uploadId,
            patience: multipartPatience,
          },
          quota,
        )
      } catch (error) {
        // R2 itself ends after seven days what cannot be aborted now.
        await store.abort(key, uploadId).catch(() => undefined)
        throw error
      }
      return { key, uploadId }
    },

    /** @throws DIRECT_UPLOAD_OFF, VALIDATION_FAILED */
    async signPart(
      actor: Actor,
      named: Named,
      partNumber: number,
    ): Promise<{ url: string; expires: number }> {
      const signer = signerOf(s3)
      const most = maxParts(maxBytes)
      if (partNumber > most)
        throw invalid({ field: 'partNumber', message: `a file has at most ${most} parts` })
      await demandOpen(actor, named)
      const { key, uploadId } = named
      return { url: await signer.signPart(key, { uploadId, partNumber }, signedFor), expires: signedFor }
    },

    /** @throws DIRECT_UPLOAD_OFF, UNAVAILABLE */
    async listParts(actor: Actor, named: Named): Promise<Part[]> {
      const signer = signerOf(s3)
      await demandOpen(actor, named)
      return await signer.listParts(named.key, named.uploadId)
    },

    /** @throws UPLOAD_INCOMPLETE, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE */
    async complete(actor: Actor, named: Named, parts: CompletedPart[]): Promise<{ id: string }> {
      const { id } = await complete(actor, directOf(named), async () => {
        const made = await store.complete(
          named.key,
          named.uploadId,
          // In their order, as R2 demands.
          parts
            .toSorted((a, b) => a.PartNumber - b.PartNumber)
            .map(({ PartNumber, ETag }) => ({ partNumber: PartNumber, etag: unquoted(ETag) })),
        )
        // `unknown`: made before, by a request that did not come to its end. What lies there tells.
        if (made === 'unfit')
          throw new AppError('UPLOAD_INCOMPLETE', 'The store cannot make a file of these parts')
      })
      return { id }
    },

    /** What was completed is not aborted any more. Should R2 not answer, the sweep takes what is left. */
    async abort(actor: Actor, named: Named): Promise<void> {
      await discard(found('Upload', await directs.abort(actor, directOf(named))))
    },
  }
}
