import fontkit from '@cantoo/fontkit'
import { PDFDocument } from '@cantoo/pdf-lib'
import { countText, lowStockLimit, moneyText, type Figures } from '../figures.ts'
import type { Build } from '../file.ts'
import { momentText, periodText } from '../period.ts'
import { drawBarChart } from './bar-chart.ts'
import { drawLineChart, lineChartHeight } from './line-chart.ts'
import { createSheet, type Sheet } from './sheet.ts'
import { drawCards, drawStatuses, drawTitle } from './summary.ts'
import { drawTable, tableHeight, tableStart } from './table.ts'
import { colours, content, paper } from './theme.ts'

/** TrueType, whole. */
export type FontFiles = { regular: ArrayBuffer; semibold: ArrayBuffer }

/** No ligatures: what is copied from the page is what was written. */
const features = { liga: false, clig: false, dlig: false }

const heading = (sheet: Sheet, title: string, note: string, height: number): void => {
  // The first heading of a page needs no distance to what is above it.
  if (!sheet.make(height + 44)) sheet.down(22)
  sheet.down(12)
  sheet.text(title, content.left, sheet.y, { size: 12, weight: 'semibold' })
  sheet.text(note, content.left + content.width, sheet.y, { size: 8, colour: colours.muted, align: 'right' })
  sheet.down(10)
}

const nothing = (sheet: Sheet, text: string): void => {
  sheet.box(content.left, sheet.y, content.width, 40, colours.ground)
  sheet.text(text, content.left + content.width / 2, sheet.y + 23, { colour: colours.faint, align: 'centre' })
  sheet.down(40)
}

const drawLowStock = (sheet: Sheet, { lowStock: { products, named } }: Figures): void => {
  heading(sheet, 'Low stock', `${countText(products)} with ${lowStockLimit} pieces or fewer`, tableStart)
  if (named.length === 0) return nothing(sheet, 'Every product is well in stock')
  drawTable(
    sheet,
    [
      { title: 'Product', share: 0.5, cell: ({ name }) => name },
      { title: 'Slug', share: 0.36, cell: ({ slug }) => slug, colour: () => colours.muted },
      {
        title: 'In stock',
        share: 0.14,
        align: 'right',
        cell: ({ stock }) => (stock === 0 ? 'sold out' : countText(stock)),
        colour: ({ stock }) => (stock === 0 ? colours.red : colours.ink),
      },
    ],
    named,
  )
  if (products <= named.length) return
  sheet.make(20)
  sheet.down(16)
  sheet.text(`and ${countText(products - named.length)} more`, content.left + 6, sheet.y, {
    colour: colours.muted,
  })
}

const drawDeadJobs = (sheet: Sheet, { deadJobs, deadJobsTotal }: Figures): void => {
  heading(sheet, 'Dead jobs', `${countText(deadJobsTotal)} in all`, tableStart)
  if (deadJobs.length === 0) return nothing(sheet, 'All work in the background is done or under way')
  drawTable(
    sheet,
    [
      { title: 'Type', share: 0.45, cell: ({ type }) => type },
      { title: 'Oldest since', share: 0.37, cell: ({ since }) => momentText(since) },
      { title: 'Jobs', share: 0.18, align: 'right', cell: ({ jobs }) => countText(jobs) },
    ],
    deadJobs,
  )
}

const drawFeet = (sheet: Sheet, { period }: Figures, { reportId }: Build): void => {
  const y = paper.height - 34
  for (let n = 0; n < sheet.pages(); n++) {
    sheet.turnTo(n)
    sheet.rule(y - 14)
    const style = { size: 7, colour: colours.muted }
    const title = `Selvedge report, ${periodText(period)}`
    sheet.text(title, content.left, y, style)
    const behind = content.left + sheet.widthOf(title, 7, 'regular') + 10
    sheet.text(reportId, behind, y, { size: 7, colour: colours.faint })
    const pages = `Page ${n + 1} of ${sheet.pages()}`
    sheet.text(pages, content.left + content.width, y, { ...style, align: 'right' })
  }
}

const describe = (document: PDFDocument, { period, asOf }: Figures): void => {
  document.setTitle(`Selvedge report, ${periodText(period)}`, { showInWindowTitleBar: true })
  document.setSubject(`Orders, revenue and stock as of ${momentText(asOf)}`)
  document.setAuthor('Selvedge')
  document.setCreator('Selvedge')
  document.setProducer('pdf-lib')
  document.setLanguage('en')
  document.setCreationDate(new Date(asOf))
  document.setModificationDate(new Date(asOf))
}

/** The report as PDF: A4, with the used signs of the fonts embedded. */
export const renderReport = async (figures: Figures, build: Build, files: FontFiles): Promise<Uint8Array> => {
  const document = await PDFDocument.create()
  document.registerFontkit(fontkit)
  // A subset's name begins with a tag of six letters (ISO 32000-1, 9.6.4).
  const embed = async (font: ArrayBuffer, name: string) =>
    await document.embedFont(font, { subset: true, features, customName: `SLVDGE+${name}` })
  const sheet = createSheet(document, {
    regular: await embed(files.regular, 'NotoSans-Regular'),
    semibold: await embed(files.semibold, 'NotoSans-SemiBold'),
  })
  describe(document, figures)

  drawTitle(sheet, figures)
  drawCards(sheet, figures)
  heading(sheet, 'Orders by status', 'placed in the period', tableStart)
  drawStatuses(sheet, figures)
  heading(sheet, 'Revenue by day', `${moneyText(figures.curveRevenue)} in 30 days`, lineChartHeight)
  drawLineChart(sheet, figures)
  heading(sheet, 'Best products', 'by revenue in the period', tableHeight(figures.bestProducts.length))
  if (figures.bestProducts.length === 0) nothing(sheet, 'Nothing was sold in this period')
  else drawBarChart(sheet, figures)
  drawLowStock(sheet, figures)
  drawDeadJobs(sheet, figures)
  drawFeet(sheet, figures, build)
  return await document.save()
}
