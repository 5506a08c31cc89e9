import type { FontFiles } from './pdf/report.ts'

/** The binding to the assets, as far as it is used here. */
type Assets = { fetch: (url: string) => Promise<Response> }

export type Fonts = ReturnType<typeof createFonts>

/**
 * Noto Sans (Latin, Greek, Cyrillic) from the Worker's own assets: dev/assets.mjs copies it there, so that it weighs
 * nothing in the bundle. Fetched for each document, never kept.
 */
export const createFonts = (assets: Assets) => {
  const load = async (file: string): Promise<ArrayBuffer> => {
    // The binding looks only at the path.
    const response = await assets.fetch(`https://assets.invalid/fonts/${file}`)
    if (!response.ok) throw new Error(`The font ${file} is missing: status ${response.status}`)
    return await response.arrayBuffer()
  }
  return async (): Promise<FontFiles> => {
    const [regular, semibold] = await Promise.all([
      load('NotoSans-Regular.ttf'),
      load('NotoSans-SemiBold.ttf'),
    ])
    return { regular, semibold }
  }
}
