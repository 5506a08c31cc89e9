import type { Color } from '@cantoo/pdf-lib'
import type { Sheet } from './sheet.ts'
import { colours, content } from './theme.ts'

type Cell<R> = (row: R) => string

export type Column<R> = {
  title: string
  /** Share of the table's width. */
  share: number
  align?: 'left' | 'right'
  cell: Cell<R>
  colour?: (row: R) => Color
  /** Drawn over the cell: its left edge, the row's baseline, the cell's width. */
  draw?: (row: R, x: number, y: number, width: number) => void
}

const rowHeight = 19
const headHeight = 20
const padding = 6

export const tableHeight = (rows: number): number => headHeight + rows * rowHeight

/** With at least so many rows below it a head does not look lost at the foot of a page. */
export const tableStart = tableHeight(3)

type Placed<R> = Column<R> & { x: number; width: number }

const place = <R>(columns: Column<R>[]): Placed<R>[] => {
  let x = content.left
  return columns.map((column) => {
    const width = column.share * content.width
    const placed = { ...column, x, width }
    x += width
    return placed
  })
}

const drawCell = (
  sheet: Sheet,
  { x, width, align = 'left' }: Placed<never>,
  text: string,
  style: { size?: number; weight?: 'regular' | 'semibold'; colour?: Color },
): void =>
  sheet.text(text, align === 'right' ? x + width - padding : x + padding, sheet.y + 13, {
    ...style,
    align,
    width: width - 2 * padding,
  })

/** A table over as many pages as it needs; each begins with its head. `strong` rows are sums. */
export const drawTable = <R>(
  sheet: Sheet,
  columns: Column<R>[],
  rows: R[],
  { strong = () => false }: { strong?: (row: R) => boolean } = {},
): void => {
  const placed = place(columns)
  const drawHead = () => {
    sheet.box(content.left, sheet.y, content.width, headHeight - 2, colours.ground)
    for (const column of placed) {
      drawCell(sheet, column as Placed<never>, column.title, {
        size: 7.5,
        weight: 'semibold',
        colour: colours.muted,
      })
    }
    sheet.down(headHeight)
  }

  drawHead()
  for (const row of rows) {
    if (sheet.make(rowHeight)) drawHead()
    const weight = strong(row) ? 'semibold' : 'regular'
    for (const column of placed) {
      const style = { weight, colour: column.colour?.(row) ?? colours.ink } as const
      drawCell(sheet, column as Placed<never>, column.cell(row), style)
      column.draw?.(row, column.x + padding, sheet.y + 13, column.width - 2 * padding)
    }
    sheet.down(rowHeight)
    sheet.rule(sheet.y - 1, { thickness: 0.4 })
  }
}
