import { scaleLinear } from 'd3-scale'
import { area, curveMonotoneX, line } from 'd3-shape'
import { countText, moneyText, type Figures } from '../figures.ts'
import { shortDay, type Period } from '../period.ts'
import type { Sheet } from './sheet.ts'
import { colours, content } from './theme.ts'

const height = 204
const axis = { gap: 8, bottom: 20, right: 14 }

/** Height of the whole chart. */
export const lineChartHeight = height + axis.bottom

type Point = { x: number; y: number }

/** Whole amounts; the axis is for the eye, the figures are in the text. */
const axisText = (amount: number): string =>
  Number.isInteger(amount) ? countText(amount) : moneyText(BigInt(Math.round(amount * 100)))

/** Revenue by day: a curve that never swings beyond its points, with the report's own days marked. */
export const drawLineChart = (sheet: Sheet, { curve, period }: Figures): void => {
  const top = sheet.y
  const amounts = curve.map(({ revenue }) => Number(revenue) / 100)
  const highest = Math.max(...amounts)
  const y = scaleLinear([0, highest === 0 ? 1 : highest], [height, 0]).nice(4)
  const ticks = highest === 0 ? [0] : y.ticks(4)
  const labels = Math.max(...ticks.map((tick) => sheet.widthOf(axisText(tick), 7, 'regular'))) + axis.gap
  const left = content.left + labels
  const width = content.width - labels - axis.right
  const x = scaleLinear([0, curve.length - 1], [0, width])

  markPeriod(
    sheet,
    curve.map(({ day }) => day),
    period,
    (n) => left + x(n),
    width / (curve.length - 1),
  )
  for (const tick of ticks) {
    sheet.rule(top + y(tick), { x: left, width, thickness: tick === 0 ? 0.8 : 0.4 })
    sheet.text(axisText(tick), left - axis.gap, top + y(tick) + 2.6, {
      size: 7,
      colour: colours.muted,
      align: 'right',
    })
  }
  for (const [n, { day }] of curve.entries()) {
    if ((curve.length - 1 - n) % 7 !== 0) continue
    sheet.text(shortDay(day), left + x(n), top + height + 14, {
      size: 7,
      colour: colours.muted,
      align: 'centre',
    })
  }
  if (highest === 0) {
    sheet.text('No revenue in these 30 days', left + width / 2, top + height / 2, {
      colour: colours.faint,
      align: 'centre',
    })
  } else
    drawCurve(
      sheet,
      amounts.map((amount, n) => ({ x: x(n), y: y(amount) })),
      left,
      top,
    )
  sheet.down(lineChartHeight)
}

const markPeriod = (
  sheet: Sheet,
  days: string[],
  { from, to }: Period,
  xOf: (n: number) => number,
  step: number,
): void => {
  const first = days.findIndex((day) => day >= from && day <= to)
  // A report of all these days marks nothing.
  if (first <= 0) return
  const start = xOf(first) - step / 2
  sheet.box(start, sheet.y, xOf(days.length - 1) + 3 - start, height, colours.ground)
}

const drawCurve = (sheet: Sheet, points: Point[], left: number, top: number): void => {
  const shape = area<Point>(
    (point) => point.x,
    height,
    (point) => point.y,
  ).curve(curveMonotoneX)
  const outline = line<Point>(
    (point) => point.x,
    (point) => point.y,
  ).curve(curveMonotoneX)
  sheet.path(shape(points) ?? '', left, top, { fill: colours.indigoSoft })
  sheet.path(outline(points) ?? '', left, top, { stroke: colours.indigo, strokeWidth: 1.6 })
  const last = points.at(-1)
  if (last === undefined) return
  sheet.dot(left + last.x, top + last.y, 3.4, colours.white)
  sheet.dot(left + last.x, top + last.y, 2.4, colours.red)
}
