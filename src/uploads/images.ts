import { imageVariants, type ImageVariant } from './variants.ts'

type Bytes = ReadableStream<Uint8Array>

type Info = { format: string; width?: number; height?: number }

type Transformer = {
  transform: (options: { width: number; height: number; fit: 'cover' | 'scale-down' }) => Transformer
  output: (options: { format: 'image/webp'; anim: boolean }) => Promise<{ image: () => Bytes }>
}

/** The binding to Cloudflare Images, as far as it is used here. */
type Binding = {
  info: (bytes: Bytes) => Promise<Info>
  input: (bytes: Bytes) => Transformer
}

export type Dimensions = { format: string; width: number; height: number }

export type Images = ReturnType<typeof createImages>

export const createImages = (binding: Binding) => ({
  info: async (bytes: Bytes) => await binding.info(bytes),
  async transform(bytes: Bytes, variant: ImageVariant): Promise<Bytes> {
    const { animated, ...shape } = imageVariants[variant]
    const result = await binding
      .input(bytes)
      .transform(shape)
      .output({ format: 'image/webp', anim: animated })
    return result.image()
  },
})
