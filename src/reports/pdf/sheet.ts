import type { Color, PDFDocument, PDFFont, PDFPage } from '@cantoo/pdf-lib'
import { graphemesOf, printable } from './printable.ts'
import { colours, content, paper } from './theme.ts'

export type Weight = 'regular' | 'semibold'

type TextStyle = {
  size?: number
  weight?: Weight
  colour?: Color
  align?: 'left' | 'right' | 'centre'
  /** Longer text ends with an ellipsis. */
  width?: number
}

type ShapeStyle = { fill?: Color; stroke?: Color; strokeWidth?: number }

export type Sheet = ReturnType<typeof createSheet>

/** Where the first thing below the head of a page stands. */
const top = 40

/**
 * Pages that are filled from top to bottom. Coordinates are points from the top left corner; `y` of text is its
 * baseline. Every text goes through `printable`.
 */
export const createSheet = (document: PDFDocument, fonts: Record<Weight, PDFFont>) => {
  const signs = new Set(fonts.regular.getCharacterSet())
  const show = (text: string): string => printable(text, (codePoint) => signs.has(codePoint))
  const pages: PDFPage[] = []

  const addPage = (): PDFPage => {
    const page = document.addPage([paper.width, paper.height])
    pages.push(page)
    // The cloth's edge: indigo, with its red thread.
    page.drawRectangle({ x: 0, y: paper.height - 7, width: paper.width, height: 7, color: colours.indigo })
    page.drawRectangle({ x: 0, y: paper.height - 9, width: paper.width, height: 1, color: colours.red })
    return page
  }
  let page = addPage()
  let cursor = top

  const widthOf = (text: string, size: number, weight: Weight): number =>
    fonts[weight].widthOfTextAtSize(text, size)

  /** The longest beginning that fits with an ellipsis. */
  const fit = (text: string, width: number, size: number, weight: Weight): string => {
    if (widthOf(text, size, weight) <= width) return text
    const signs = graphemesOf(text)
    const shortened = (length: number): string => `${signs.slice(0, length).join('').trimEnd()}…`
    let [low, high] = [0, signs.length]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (widthOf(shortened(middle), size, weight) <= width) low = middle
      else high = middle - 1
    }
    return shortened(low)
  }

  return {
    get y(): number {
      return cursor
    },

    pages: (): number => pages.length,

    /** Later calls draw on this page; for what all pages have once their number is known. */
    turnTo(index: number): void {
      page = pages[index] ?? page
    },

    down(distance: number): void {
      cursor += distance
    },

    /** Begins a new page when less than `height` is left; answers whether it did. */
    make(height: number): boolean {
      if (cursor + height <= paper.height - paper.bottom) return false
      page = addPage()
      cursor = top
      return true
    },

    text(text: string, x: number, y: number, style: TextStyle = {}): void {
      const { size = 9, weight = 'regular', colour = colours.ink, align = 'left', width } = style
      const shown = show(text)
      const line = width === undefined ? shown : fit(shown, width, size, weight)
      const shift = { left: 0, right: 1, centre: 0.5 }[align] * widthOf(line, size, weight)
      page.drawText(line, { x: x - shift, y: paper.height - y, size, font: fonts[weight], color: colour })
    },

    widthOf: (text: string, size: number, weight: Weight): number => widthOf(show(text), size, weight),

    box(x: number, y: number, width: number, height: number, fill: Color): void {
      page.drawRectangle({ x, y: paper.height - y - height, width, height, color: fill })
    },

    rule(
      y: number,
      { x = content.left, width = content.width, colour = colours.line, thickness = 0.6 } = {},
    ): void {
      const level = paper.height - y
      page.drawLine({ start: { x, y: level }, end: { x: x + width, y: level }, thickness, color: colour })
    },

    /** An SVG path whose origin is at (x, y). */
    path(svg: string, x: number, y: number, { fill, stroke, strokeWidth = 1 }: ShapeStyle): void {
      page.drawSvgPath(svg, {
        x,
        y: paper.height - y,
        ...(fill && { color: fill }),
        ...(stroke && { borderColor: stroke, borderWidth: strokeWidth }),
      })
    },

    dot(x: number, y: number, size: number, fill: Color): void {
      page.drawCircle({ x, y: paper.height - y, size, color: fill })
    },
  }
}
