import type { JobContext } from '../jobs/catalog.ts'
import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Logger } from '../shared/logger.ts'
import { createFrameCounter } from './frames.ts'
import type { Images } from './images.ts'
import { quarantineKey, variantKey, variantsPrefix } from './keys.ts'
import { mediaTypeOf } from './media-type.ts'
import type { PipelineRepository, Refusal, Taken } from './pipeline-repository.ts'
import type { Scanner } from './scanner.ts'
import type { UploadStore } from './store.ts'
import { variantsOf, type StoredVariant, type StoredVariants } from './variant.ts'
import { maxFrames, maxPixels, maxSide } from './variants.ts'
import { plainWebpSize, webpHeadSize } from './webp.ts'

type Deps = {
  uploads: PipelineRepository
  store: Pick<UploadStore, 'read' | 'keep' | 'list' | 'remove'>
  /** Undefined: none is set up, and nothing is called clean. */
  scanner: Scanner | undefined
  images: Pick<Images, 'measure' | 'transform'>
  dispatcher: Pick<Dispatcher, 'send'>
  newId: () => string
  log: Pick<Logger, 'info' | 'warn'>
}

/** Another run has taken hold of the upload, or its owner has deleted it: what this one does no longer counts. */
class Superseded extends Error {}

/** The file itself is unfit, today and tomorrow. */
class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.reason)
    this.refusal = refusal
  }
}

const refuse = (reason: string, detail: string): never => {
  throw new Refused({ reason, detail })
}

const unreadable = (): never => refuse('unreadable', 'No image can be made of it')

const superseded = () => new Superseded('Another run has taken hold of the upload')

const held = (isHeld: boolean): void => {
  if (!isHeld) throw superseded()
}

/** Keys that one page of a listing has, at most. */
const page = 1_000

/** The first bytes of a stream, and all of it. */
const peek = async (body: ReadableStream<Uint8Array>, size: number) => {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  let isOver = false
  while (length < size && !isOver) {
    const { done, value } = await reader.read()
    isOver = done
    if (value !== undefined) {
      chunks.push(value)
      length += value.length
    }
  }
  const cancel = async (): Promise<void> => await reader.cancel().catch(() => undefined)
  const head = new Uint8Array(Math.min(size, length))
  let filled = 0
  for (const chunk of chunks) {
    const piece = chunk.subarray(0, head.length - filled)
    head.set(piece, filled)
    filled += piece.length
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks.splice(0)
      while (!isOver) {
        const { done, value } = await reader.read()
        isOver = done
        if (value !== undefined) yield value
      }
    } finally {
      if (!isOver) await cancel()
    }
  }
  return { head, all: all(), cancel }
}

/**
 * The job that makes an upload ready: scan, variants, promotion. A run takes hold of the row with an id of its own, which
 * fences every later write and names its objects, so that of two runs one comes through. What a run has made is in the
 * row before the next thing is begun: whoever comes after a kill goes on from there, and makes nothing twice.
 *
 * Objects are written before the row names them, and deleted after it has ceased to: at no moment does a row lead to
 * bytes that are not scanned, or not there.
 */
export const createUploadPipeline = ({ uploads, store, scanner, images, dispatcher, newId, log }: Deps) => {
  /** The bytes in quarantine, and no others: they may have been written over since they were found whole. */
  const open = async ({ uploadId, etag }: Taken): Promise<ReadableStream<Uint8Array>> =>
    (await store.read(quarantineKey(uploadId), etag)) ??
    refuse('overwritten', 'The file was changed or removed after it had come in')

  /** Deletes what nothing leads to any more. Only once the row has its outcome. */
  const tidy = async (uploadId: string, variants: StoredVariants): Promise<void> => {
    const kept = new Set(Object.values(variants).map(({ key }) => key))
    const { objects } = await store.list(variantsPrefix(uploadId), { limit: page })
    const strays = objects.map(({ key }) => key).filter((key) => !kept.has(key))
    await store.remove([quarantineKey(uploadId), ...strays])
  }

  /** False: it is infected, and that is in the row. */
  const scan = async (taken: Taken, context: JobContext): Promise<boolean> => {
    if (scanner === undefined) {
      held(await uploads.scanned(taken, 'skipped'))
      return true
    }
    const verdict = await scanner.scan({ body: await open(taken), size: taken.size }, context.signal)
    if (verdict.status === 'clean') {
      held(await uploads.scanned(taken, 'clean'))
      return true
    }
    const told = await uploads.infect(taken, verdict.signature, context)
    if (told === undefined) throw new Superseded('Another run has taken hold of the upload')
    dispatcher.send(told.map((id) => ({ id })))
    log.warn('upload is infected', { uploadId: taken.uploadId, found: verdict.signature })
    return false
  }

  const framesOf = async (taken: Taken): Promise<number> => {
    if (taken.mediaType === 'image/jpeg') return 1
    const counter = createFrameCounter(taken.mediaType)
    for await (const chunk of await open(taken)) {
      counter.push(chunk)
      if (counter.frames() > maxFrames) break
    }
    return counter.frames()
  }

  /** @throws Refused what is too large to be decoded, or is not what it was taken for */
  const inspect = async (taken: Taken): Promise<void> => {
    const measured = await images.measure(() => open(taken))
    if (measured === undefined) return unreadable()
    const { format, width, height } = measured
    if (format !== taken.mediaType) refuse('unreadable', `It is not ${taken.mediaType}`)
    if (Math.max(width, height) > maxSide) {
      refuse('too_large', `${width} × ${height} pixels; a side has ${maxSide} at most`)
    }
    const tooMany = `${width} × ${height} pixels; an image has ${maxPixels} at most`
    if (width * height > maxPixels) refuse('too_large', tooMany)
    const frames = await framesOf(taken)
    if (frames > maxFrames) refuse('too_many_frames', `More than ${maxFrames} frames`)
    // Beyond that the service would hand an animation on as it is.
    if (width * height * frames > maxPixels) refuse('too_large', `${tooMany}, over all ${frames} frames`)
  }

  const writeImage = async (
    taken: Taken,
    name: 'thumb' | 'medium' | 'full',
    key: string,
  ): Promise<StoredVariant> => {
    const body = await images.transform(() => open(taken), name)
    if (body === undefined) return unreadable()
    const { head, all, cancel } = await peek(body, webpHeadSize)
    const size = plainWebpSize(head)
    if (size === undefined) {
      await cancel()
      return unreadable()
    }
    return { key, type: 'image/webp', ...(await store.keep(key, 'image/webp', all)), ...size }
  }

  const writeOriginal = async (taken: Taken, key: string): Promise<StoredVariant> => {
    const { head, all, cancel } = await peek(await open(taken), 5)
    if (mediaTypeOf(head) !== taken.mediaType) {
      await cancel()
      return refuse('unreadable', `It is not ${taken.mediaType}`)
    }
    const stored = await store.keep(key, taken.mediaType, all)
    if (stored.size !== taken.size)
      throw new Error(`${stored.size} bytes were kept in place of ${taken.size}`)
    return { key, type: taken.mediaType, ...stored }
  }

  /** Whatever of it is not there yet, each recorded as soon as it is. */
  const makeVariants = async (taken: Taken, { signal }: JobContext): Promise<StoredVariants> => {
    const variants = { ...taken.made }
    const missing = variantsOf(taken.mediaType).filter((name) => variants[name] === undefined)
    const isImage = taken.mediaType !== 'application/pdf'
    // Of what one variant was made, another can be made.
    if (isImage && Object.keys(variants).length === 0) await inspect(taken)
    for (const name of missing) {
      signal.throwIfAborted()
      const key = variantKey(taken.uploadId, name, taken.runId)
      const variant =
        name === 'original' ? await writeOriginal(taken, key) : await writeImage(taken, name, key)
      if (!(await uploads.note(taken, name, variant))) {
        await store.remove([key])
        held(false)
      }
      variants[name] = variant
    }
    return variants
  }

  const promote = async (taken: Taken, context: JobContext): Promise<StoredVariants> => {
    if (taken.state === 'scanning' && !(await scan(taken, context))) return {}
    const variants = await makeVariants(taken, context)
    context.signal.throwIfAborted()
    const notice = await uploads.complete(taken, variants)
    if (notice === undefined) throw superseded()
    dispatcher.send([{ id: notice }])
    log.info('upload is ready', { uploadId: taken.uploadId })
    return variants
  }

  const reject = async (taken: Taken, { refusal }: Refused): Promise<StoredVariants> => {
    held(await uploads.reject(taken, refusal))
    log.info('upload is rejected', { uploadId: taken.uploadId, reason: refusal.reason })
    return {}
  }

  return async ({ uploadId }: { uploadId: string }, context: JobContext): Promise<void> => {
    const taken = await uploads.take({ uploadId, runId: newId() }, context.id)
    // Deleted, with its objects, by whoever owns it.
    if (taken === 'gone') return
    if (taken === 'idle') throw new Error('The upload is not whole, or another job has it')
    // A run before this one was killed in the midst of its last step.
    if ('settled' in taken) return await tidy(uploadId, taken.variants)
    const variants = await promote(taken, context).catch(async (error: unknown) => {
      if (error instanceof Refused) return await reject(taken, error)
      throw error
    })
    await tidy(uploadId, variants)
  }
}
