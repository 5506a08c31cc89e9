import { scaleLinear } from 'd3-scale'
import { countText, moneyText, type Figures } from '../figures.ts'
import type { Sheet } from './sheet.ts'
import { drawTable } from './table.ts'
import { colours } from './theme.ts'

const barHeight = 8

type Ranked = Figures['bestProducts'][number] & { rank: number }

/** Bars beside the figures that they stand for. */
export const drawBarChart = (sheet: Sheet, { bestProducts }: Figures): void => {
  const highest = Math.max(...bestProducts.map(({ revenue }) => Number(revenue)), 1)
  const share = scaleLinear([0, highest], [0, 1])
  const bar = ({ revenue }: Ranked, x: number, y: number, width: number): void => {
    const top = y - barHeight + 1.5
    sheet.box(x, top, width, barHeight, colours.ground)
    sheet.box(x, top, Math.max(0.8, share(Number(revenue)) * width), barHeight, colours.indigo)
  }
  drawTable<Ranked>(
    sheet,
    [
      {
        title: '',
        share: 0.05,
        align: 'right',
        cell: ({ rank }) => String(rank),
        colour: () => colours.faint,
      },
      { title: 'Product', share: 0.38, cell: ({ name }) => name },
      { title: '', share: 0.29, cell: () => '', draw: bar },
      { title: 'Units', share: 0.11, align: 'right', cell: ({ units }) => countText(units) },
      { title: 'Revenue', share: 0.17, align: 'right', cell: ({ revenue }) => moneyText(revenue) },
    ],
    bestProducts.map((product, n) => ({ ...product, rank: n + 1 })),
  )
}
