import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Actor } from '../../shared/actor.ts'
import { AppError, found, notFound, type ErrorCode } from '../../shared/errors.ts'
import { completePatience, putPatience, signedFor } from '../direct.ts'
import type { Direct, DirectRepository, Expected } from '../direct-repository.ts'
import { inspect } from '../inspect.ts'
import { quarantineKey } from '../keys.ts'
import { declaredTypeOf, type MediaType } from '../media-type.ts'
import type { Quota } from '../quota.ts'
import type { Received, UploadRepository } from '../repository.ts'
import type { S3 } from '../s3.ts'
import type { Presign } from '../schema.direct.ts'
import type { Upload } from '../schema.ts'
import type { UploadStore } from '../store.ts'
import type { Discard } from './discard.ts'

export type DirectDeps = {
  uploads: Pick<UploadRepository, 'begin' | 'finish'>
  directs: DirectRepository
  store: Pick<UploadStore, 'open' | 'remove' | 'abort' | 'complete' | 'multipart'>
  discard: Discard
  /** Undefined where nothing can be signed. */
  s3: S3 | undefined
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
  /** Bytes of a file. */
  maxBytes: number
  quota: Quota
}

/** @throws DIRECT_UPLOAD_OFF */
export const signerOf = (s3: S3 | undefined): S3 => {
  if (s3 === undefined)
    throw new AppError('DIRECT_UPLOAD_OFF', 'Uploads straight to the store are not set up here')
  return s3
}

/** @throws UNSUPPORTED_MEDIA_TYPE */
export const admittedType = (declared: string): MediaType => {
  const type = declaredTypeOf(declared)
  if (type === undefined) throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Files of this type are not taken')
  return type
}

const tooLarge = (maxBytes: number): AppError =>
  new AppError('PAYLOAD_TOO_LARGE', `A file may have at most ${maxBytes} bytes`)

/** Why an upload is refused for good: the reason in its row, and what whoever completes it is told. */
const refusals = {
  more_bytes: ['PAYLOAD_TOO_LARGE', 'The file has more bytes than an upload may have'],
  other_bytes: ['DIGEST_MISMATCH', 'The bytes are not those that were announced'],
  other_type: ['UNSUPPORTED_MEDIA_TYPE', 'The bytes are not what their type says'],
} as const satisfies Record<string, readonly [ErrorCode, string]>

type Refusal = keyof typeof refusals

const isRefusal = (reason: string | null): reason is Refusal =>
  reason !== null && Object.hasOwn(refusals, reason)

/** The upload as it has been settled; asked again, a refused one is refused with the same words. */
const settled = (upload: Upload): Upload => {
  if (upload.status !== 'rejected' || !isRefusal(upload.reason)) return upload
  const [code, message] = refusals[upload.reason]
  throw new AppError(code, message)
}

/** By its size alone, before anything is read. */
const misfitOf = ({ reserved, sha256 }: Expected, size: number, maxBytes: number): Refusal | undefined => {
  if (size > maxBytes) return 'more_bytes'
  // The size was said together with the checksum.
  return sha256 === null || size === reserved ? undefined : 'other_bytes'
}

/**
 * Takes over what a client has put into quarantine by itself. Every step can happen twice, at once, or be the last
 * before a kill: what is in R2 is looked at, never taken on trust; the row's state decides who wins, and whoever
 * loses changes nothing.
 */
export const createCompletion = ({ uploads, directs, store, dispatcher, maxBytes }: DirectDeps) => {
  /** What cannot be removed now lies in quarantine without a row that needs it, and the sweep finds it. */
  const discardObject = async (id: string): Promise<void> =>
    await store.remove([quarantineKey(id)]).catch(() => undefined)

  const refuse = async (actor: Actor, direct: Direct, reason: Refusal): Promise<Upload> => {
    const { isMine, upload } = await directs.reject(actor, direct, { reason, detail: refusals[reason][1] })
    // After this no one can complete it any more: nobody waits for what lies there.
    if (isMine || upload === undefined) await discardObject(direct.id)
    return settled(found('Upload', upload))
  }

  const finish = async (actor: Actor, id: string, received: Received): Promise<Upload> => {
    const job = dispatcher.draft({ type: 'upload.process', payload: { uploadId: id } }, id)
    const finished = await uploads.finish(actor, id, received, job)
    if (finished === undefined) {
      // Deleted while we read: the object may have come after whoever deleted it had looked.
      await discardObject(id)
      throw notFound('Upload')
    }
    if (finished.isMine) dispatcher.send([job])
    return settled(finished.upload)
  }

  /** Measures the object and hands it to the job, or refuses it for good. */
  const takeOver = async (actor: Actor, direct: Direct, expected: Expected): Promise<Upload> => {
    const object = await store.open(quarantineKey(direct.id))
    if (object === undefined) throw new AppError('UPLOAD_INCOMPLETE', 'Its bytes have not all arrived')
    const { size, etag, body } = object
    const misfit = misfitOf(expected, size, maxBytes)
    if (misfit !== undefined) {
      await body.cancel()
      return await refuse(actor, direct, misfit)
    }
    const { mediaType, sha256 } = await inspect(body)
    if (expected.sha256 !== null && expected.sha256 !== sha256)
      return await refuse(actor, direct, 'other_bytes')
    if (mediaType !== expected.declaredType) return await refuse(actor, direct, 'other_type')
    return await finish(actor, direct.id, { mediaType, size, sha256, etag })
  }

  /** Completed before: as it is now. Else `prepare` makes the object, if that is still to be done. */
  return async (actor: Actor, direct: Direct, prepare?: () => Promise<void>): Promise<Upload> => {
    const { upload, expected } = found('Upload', await directs.hold(actor, direct, completePatience))
    if (expected === undefined) return settled(upload)
    await prepare?.()
    // Its key has the id as the database writes it.
    return await takeOver(actor, { ...direct, id: upload.id }, expected)
  }
}

/** Uploads by one signed PUT to R2. */
export const createDirectUploads = (deps: DirectDeps) => {
  const { uploads, s3, newId, maxBytes, quota } = deps
  const complete = createCompletion(deps)

  return {
    /**
     * @throws DIRECT_UPLOAD_OFF, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, QUOTA_EXCEEDED
     */
    async presign(actor: Actor, { name, type, size, sha256 }: Presign) {
      const signer = signerOf(s3)
      const declaredType = admittedType(type)
      if (size > maxBytes) throw tooLarge(maxBytes)
      const id = newId()
      const expiresAt = new Date(Date.now() + signedFor * 1_000).toISOString()
      const signed = await signer.signPut(quarantineKey(id), { type: declaredType, size, sha256 }, signedFor)
      await uploads.begin(
        actor,
        {
          id,
          clientId: undefined,
          name,
          declaredType,
          reserved: size,
          way: 'presigned',
          sha256,
          patience: signedFor + putPatience,
        },
        quota,
      )
      return { id, ...signed, expiresAt }
    },

    /**
     * Repeated, it answers with the upload as it then is.
     * @throws UPLOAD_INCOMPLETE, DIGEST_MISMATCH, UNSUPPORTED_MEDIA_TYPE
     */
    complete: async (actor: Actor, id: string): Promise<Upload> =>
      await complete(actor, { id, way: 'presigned' }),
  }
}
