import { createHash } from 'node:crypto'
import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Actor } from '../../shared/actor.ts'
import { sleep } from '../../shared/backoff.ts'
import { describeError } from '../../shared/describe-error.ts'
import { AppError, invalid } from '../../shared/errors.ts'
import { inParts } from '../../shared/parts.ts'
import { peek } from '../body.ts'
import { expectDigest } from '../content-digest.ts'
import { quarantineKey } from '../keys.ts'
import { headSize, mediaTypeOf, type MediaType } from '../media-type.ts'
import type { PartBuffers } from '../part-buffers.ts'
import type { Quota } from '../quota.ts'
import type { UploadRepository } from '../repository.ts'
import type { Upload } from '../schema.ts'
import type { Stored, UploadStore } from '../store.ts'
import type { Discard } from './discard.ts'
import { keepHold, patience, superseded } from './hold.ts'
import { createOpener, tooLarge, unsupported, type Incoming, type Opened } from './incoming.ts'

type Deps = {
  uploads: Pick<UploadRepository, 'begin' | 'hold' | 'finish' | 'abandon'>
  store: Pick<UploadStore, 'stream' | 'put' | 'multipart' | 'remove'>
  discard: Discard
  partBuffers: PartBuffers
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  settings: { maxBytes: number; quota: Quota }
  newId: () => string
  /** Keeps the request alive when its client has gone. */
  after: (work: Promise<void>) => void
  log: { warn: (message: string, fields: Record<string, unknown>) => void }
  wait?: typeof sleep
}

/** Bytes: the least that R2 takes for a part. */
const partSize = 5 * 1024 * 1024

/** Milliseconds that a repeated request waits for the first, in steps. */
const maxWait = 10_000
const step = 500

/** What is not ours to explain is the store's. */
const ofStore = (error: unknown): unknown =>
  error instanceof AppError
    ? error
    : new AppError('UNAVAILABLE', 'The store is not available', { cause: error })

/** Takes in files that come through the Worker: never whole in memory, and never twice for the same id of a client. */
export const createReceiver = ({
  uploads,
  store,
  discard,
  partBuffers,
  dispatcher,
  settings: { maxBytes, quota },
  newId,
  after,
  log,
  wait = sleep,
}: Deps) => {
  const open = createOpener(maxBytes)

  /** The row of this upload: a new one, or the one that the client's id names, once it is whole. */
  const begin = async (actor: Actor, clientId: string | undefined, opened: Opened & { type: MediaType }) => {
    const { name, type: declaredType, reserved } = opened
    const made = { clientId, name, declaredType, reserved, way: 'direct', patience } as const
    for (let waited = 0; ; waited += step) {
      const begun = await uploads.begin(actor, { ...made, id: newId() }, quota)
      if (begun.isNew || begun.upload.status !== 'receiving') return begun
      if (waited >= maxWait) {
        throw new AppError('UPLOAD_IN_FLIGHT', 'The first upload with this X-Upload-Id is still under way')
      }
      await wait(step)
    }
  }

  /** Counts, hashes and limits what passes. The last chunk of a known length passes only when the digest agrees. */
  const inspect = (source: AsyncIterable<Uint8Array>, { length, digest }: Opened, check: () => void) => {
    const hash = createHash('sha256')
    let size = 0
    let sha256: string | undefined
    const conclude = (): string => {
      sha256 ??= hash.digest('hex')
      expectDigest(digest, sha256)
      return sha256
    }
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        check()
        size += chunk.length
        if (size > maxBytes) throw tooLarge(maxBytes)
        hash.update(chunk)
        if (size === length) conclude()
        yield chunk
      }
      if (length !== undefined && size < length) throw new AppError('UPLOAD_STALLED', 'The body broke off')
      conclude()
    }
    return { bytes: bytes(), facts: () => ({ size, sha256: conclude() }) }
  }

  /** What fits into one part is one object at once, everything else a multipart upload that the row knows of. */
  const storeInParts = async (
    id: string,
    type: MediaType,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<Stored> => {
    const key = quarantineKey(id)
    const parts: { partNumber: number; etag: string }[] = []
    let multipart: Awaited<ReturnType<typeof store.multipart>> | undefined
    try {
      for await (const part of inParts(bytes, partSize)) {
        if (multipart === undefined && part.length < partSize) return await store.put(key, type, part)
        if (multipart === undefined) {
          multipart = await store.multipart(key, type)
          if (!(await uploads.hold(id, patience, multipart.uploadId))) throw superseded()
        }
        parts.push(await multipart.uploadPart(parts.length + 1, part))
      }
      if (multipart === undefined) throw new Error('An upload without bytes')
      return await multipart.complete(parts)
    } catch (error) {
      // The row names it too, should this fail.
      await multipart?.abort().catch(() => undefined)
      throw error
    }
  }

  const storeWith = async (
    id: string,
    type: MediaType,
    { length }: Opened,
    bytes: AsyncGenerator<Uint8Array>,
    also: (touch: () => void) => void,
  ): Promise<Stored> => {
    if (length !== undefined) return await store.stream(quarantineKey(id), type, length, bytes)
    const buffer = await partBuffers.take()
    also(buffer.touch)
    try {
      return await storeInParts(id, type, bytes)
    } finally {
      buffer.release()
    }
  }

  /** Of an upload that failed nothing is left; what cannot be cleaned up now is the sweep's. */
  const giveUp = async (id: string): Promise<Upload | undefined> => {
    try {
      const { remains, upload } = await uploads.abandon(id)
      if (remains !== undefined) await discard(remains)
      return upload
    } catch (error) {
      log.warn('a failed upload is left to the sweep', { uploadId: id, error: describeError(error) })
      return undefined
    }
  }

  const receiveInto = async (
    actor: Actor,
    id: string,
    opened: Opened,
    type: MediaType,
    whole: AsyncGenerator<Uint8Array>,
  ) => {
    const job = dispatcher.draft({ type: 'upload.process', payload: { uploadId: id } }, id)
    const hold = keepHold({ uploads, log }, id)
    try {
      const { bytes, facts } = inspect(whole, opened, hold.check)
      const { etag } = await storeWith(id, type, opened, bytes, hold.also).catch((error: unknown) => {
        throw ofStore(error)
      })
      const finished = await uploads.finish(actor, id, { ...facts(), mediaType: type, etag }, job)
      if (finished === undefined) {
        await discard({ uploadId: id, multipartId: null })
        throw superseded()
      }
      dispatcher.send([job])
      return finished.upload
    } catch (error) {
      const upload = await giveUp(id)
      // It was finished although the answer got lost.
      if (upload === undefined) throw error
      dispatcher.send([job])
      return upload
    } finally {
      hold.end()
    }
  }

  const run = async (actor: Actor, incoming: Incoming) => {
    const opened = await open(incoming)
    let rest = opened.bytes
    try {
      const { head, whole } = await peek(opened.bytes, headSize)
      rest = whole
      if (head.length === 0) throw invalid({ field: 'file', message: 'must not be empty' })
      const { type } = opened
      if (type === undefined || mediaTypeOf(head) !== type) throw unsupported()
      const { isNew, upload } = await begin(actor, incoming.clientId, { ...opened, type })
      if (!isNew) return { isNew, upload }
      return { isNew, upload: await receiveInto(actor, upload.id, opened, type, whole) }
    } finally {
      // What nobody has read is not waited for.
      await rest.return(undefined).catch(() => undefined)
      await opened.bytes.return(undefined).catch(() => undefined)
    }
  }

  /**
   * Goes on when the client has gone: then it fails and cleans up.
   * @throws PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, DIGEST_MISMATCH, QUOTA_EXCEEDED, UPLOAD_IN_FLIGHT, UPLOAD_STALLED,
   * MALFORMED_FORM
   */
  return async (actor: Actor, incoming: Incoming): Promise<{ isNew: boolean; upload: Upload }> => {
    const work = run(actor, incoming)
    after(
      work.then(
        () => undefined,
        () => undefined,
      ),
    )
    return await work
  }
}
