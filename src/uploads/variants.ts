/** Pixels of an image, all its frames together. */
export const maxPixels = 50_000_000
export const maxSide = 12_000
export const maxFrames = 100

type Shape = {
  width: number
  height: number
  /** `cover` fills the box and cuts what juts out; `scale-down` fits into it and never grows. */
  fit: 'cover' | 'scale-down'
  animated: boolean
}

/** What an image is kept as, always WebP. `full` changes nothing but the format: no image has longer sides. */
export const imageVariants = {
  thumb: { width: 150, height: 150, fit: 'cover', animated: false },
  medium: { width: 800, height: 600, fit: 'scale-down', animated: true },
  full: { width: maxSide, height: maxSide, fit: 'scale-down', animated: true },
} as const satisfies Record<string, Shape>

export type ImageVariant = keyof typeof imageVariants
