import { LaterError } from '../shared/later-error.ts'
import { within } from '../shared/within.ts'
import { imageVariants, type ImageVariant } from './variants.ts'

type Bytes = ReadableStream<Uint8Array>

type Shape = { width: number; height: number; fit: 'cover' | 'scale-down' }

type Transformer = {
  transform: (shape: Shape) => Transformer
  output: (options: { format: 'image/webp'; anim: boolean }) => Promise<{ image: () => Bytes }>
}

/** The binding to Cloudflare Images, as far as it is used here. */
type Binding = {
  info: (bytes: Bytes) => Promise<{ format: string; width?: number; height?: number }>
  input: (bytes: Bytes) => Transformer
}

/** Opens the same image anew. */
export type Source = () => Promise<Bytes>

export type Dimensions = { format: string; width: number; height: number }

/** Milliseconds. */
const patience = 60_000

/** No image, too large, of no known format: https://developers.cloudflare.com/images/reference/troubleshooting/ */
const certain = new Set<unknown>([9412, 9413, 9520])

/** What no image service that is well refuses: a PNG of one pixel. */
const sample = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=='),
  (character) => character.charCodeAt(0),
)

const sampleSource: Source = () =>
  Promise.resolve(
    new ReadableStream({
      start(controller) {
        controller.enqueue(sample.slice())
        controller.close()
      },
    }),
  )

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? Number(error.code) : undefined

/** Errors of the service have a code; those of the source, such as an object that has changed, have not. */
const isOfService = (error: unknown): boolean => Number.isInteger(codeOf(error))

export type Images = ReturnType<typeof createImages>

/**
 * Over the Images binding, every call of which is billed. Its commonest error, 9523, is of a broken image as well as of a
 * broken service: which of them, a sample tells that is known to be good.
 */
export const createImages = (binding: Binding) => {
  const output = async (bytes: Bytes, variant: ImageVariant): Promise<Bytes> => {
    const { animated, ...shape } = imageVariants[variant]
    const result = await binding
      .input(bytes)
      .transform(shape)
      .output({ format: 'image/webp', anim: animated })
    return result.image()
  }

  /** Undefined: the image is at fault. @throws LaterError when the service is away, and whatever the source throws */
  const attempt = async <T>(source: Source, work: (bytes: Bytes) => Promise<T>): Promise<T | undefined> => {
    const of = async (from: Source): Promise<T> => await within(patience, work(await from()))
    try {
      return await of(source)
    } catch (error) {
      if (!isOfService(error)) throw error
      if (certain.has(codeOf(error))) return undefined
    }
    try {
      await of(sampleSource)
    } catch (error) {
      throw new LaterError('The image service is away', { cause: error })
    }
    try {
      return await of(source)
    } catch (error) {
      if (isOfService(error)) return undefined
      throw error
    }
  }

  return {
    /** Before anything is decoded. Undefined: nothing can be made of it. */
    async measure(source: Source): Promise<Dimensions | undefined> {
      const info = await attempt(source, (bytes) => binding.info(bytes))
      if (info?.width === undefined || info.height === undefined) return undefined
      return { format: info.format, width: info.width, height: info.height }
    },

    /** WebP, upright, without metadata. Undefined: nothing can be made of it. */
    transform: (source: Source, variant: ImageVariant): Promise<Bytes | undefined> =>
      attempt(source, (bytes) => output(bytes, variant)),
  }
}
