import { countText, moneyText, type Figures, type Line } from '../figures.ts'
import { curveDays, momentText, periodText } from '../period.ts'
import type { Sheet } from './sheet.ts'
import { drawTable } from './table.ts'
import { colours, content } from './theme.ts'

const gap = 10
const card = { width: (content.width - 2 * gap) / 3, height: 62 }

/** The head of the first page: what this is, of which days, as of when. */
export const drawTitle = (sheet: Sheet, { period, asOf }: Figures): void => {
  const right = content.left + content.width
  sheet.down(14)
  sheet.text('SELVEDGE', content.left, sheet.y, { size: 8, weight: 'semibold', colour: colours.indigo })
  sheet.text(`As of ${momentText(asOf)}`, right, sheet.y, { size: 8, colour: colours.muted, align: 'right' })
  sheet.down(28)
  sheet.text(period.from === period.to ? 'Daily report' : 'Report', content.left, sheet.y, {
    size: 22,
    weight: 'semibold',
  })
  sheet.down(18)
  sheet.text(periodText(period), content.left, sheet.y, { size: 11, colour: colours.muted })
  sheet.down(20)
}

const times = (count: number, one: string, many: string): string =>
  `${countText(count)} ${count === 1 ? one : many}`

export const drawCards = (sheet: Sheet, figures: Figures): void => {
  const { orders, sales, revenue, averageOrder, curveRevenue, newCustomers, deadJobsTotal } = figures
  const cancelled = orders - sales
  const cards: [label: string, value: string, note: string, alarming?: boolean][] = [
    ['Revenue', moneyText(revenue), 'without cancelled orders'],
    ['Orders', countText(orders), cancelled === 0 ? 'none cancelled' : `${countText(cancelled)} cancelled`],
    [
      'Average order',
      averageOrder === undefined ? '–' : moneyText(averageOrder),
      `of ${times(sales, 'order', 'orders')} not cancelled`,
    ],
    ['Revenue, 30 days', moneyText(curveRevenue), `the ${curveDays} days to the end of the period`],
    ['New customers', countText(newCustomers), 'accounts made in the period'],
    [
      'Dead jobs',
      countText(deadJobsTotal),
      deadJobsTotal === 0 ? 'nothing waits for you' : 'wait for a person',
      deadJobsTotal > 0,
    ],
  ]
  for (const [n, [label, value, note, alarming = false]] of cards.entries()) {
    const x = content.left + (n % 3) * (card.width + gap)
    const y = sheet.y + Math.floor(n / 3) * (card.height + gap)
    sheet.box(x, y, card.width, card.height, colours.ground)
    sheet.box(x, y, 2, card.height, alarming ? colours.red : colours.indigo)
    sheet.text(label, x + 12, y + 16, { size: 8, colour: colours.muted })
    sheet.text(value, x + 12, y + 37, {
      size: 17,
      weight: 'semibold',
      width: card.width - 20,
      colour: alarming ? colours.red : colours.ink,
    })
    sheet.text(note, x + 12, y + 52, { size: 7, colour: colours.faint, width: card.width - 20 })
  }
  sheet.down(2 * card.height + gap)
}

const names: Record<Line['status'], string> = {
  pending: 'Pending',
  paid: 'Paid',
  shipped: 'Shipped',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
}

type Row = { name: string; orders: number; amount: bigint; share: number | undefined; sum?: true }

const percent = (share: number): string => `${Math.round(share * 100)} %`

export const drawStatuses = (sheet: Sheet, { byStatus, orders, amount, sales, revenue }: Figures): void => {
  const share = (count: number): number | undefined => (orders === 0 ? undefined : count / orders)
  const rows: Row[] = [
    ...byStatus.map((line) => ({ ...line, name: names[line.status], share: share(line.orders) })),
    { name: 'All orders', orders, amount, share: undefined, sum: true },
    { name: 'Without cancelled', orders: sales, amount: revenue, share: undefined, sum: true },
  ]
  const bar = ({ share = 0, sum }: Row, x: number, y: number, width: number): void => {
    if (sum === true) return
    sheet.box(x, y - 6.5, width, 8, colours.ground)
    if (share > 0) sheet.box(x, y - 6.5, Math.max(0.8, share * width), 8, colours.indigo)
  }
  drawTable<Row>(
    sheet,
    [
      { title: 'Status', share: 0.26, cell: ({ name }) => name },
      { title: 'Share of orders', share: 0.3, cell: () => '', draw: bar },
      {
        title: '',
        share: 0.1,
        align: 'right',
        colour: () => colours.muted,
        cell: ({ share }) => (share === undefined ? '' : percent(share)),
      },
      { title: 'Orders', share: 0.14, align: 'right', cell: ({ orders }) => countText(orders) },
      { title: 'Revenue', share: 0.2, align: 'right', cell: ({ amount }) => moneyText(amount) },
    ],
    rows,
    { strong: ({ sum }) => sum === true },
  )
}
