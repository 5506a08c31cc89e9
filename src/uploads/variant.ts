import type { MediaType } from './media-type.ts'

export const variantNames = ['thumb', 'medium', 'full', 'original'] as const

export type VariantName = (typeof variantNames)[number]

/** Images are shown, in three sizes; a PDF is saved as it is. */
export const variantsOf = (type: MediaType): readonly VariantName[] =>
  type === 'application/pdf' ? ['original'] : ['thumb', 'medium', 'full']

/** A variant that is ready, as the row keeps it; the ETag is without quotes. */
export type StoredVariant = {
  key: string
  type: string
  size: number
  etag: string
  width?: number
  height?: number
}

export type StoredVariants = Partial<Record<VariantName, StoredVariant>>
