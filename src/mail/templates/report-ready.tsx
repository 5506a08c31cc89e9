import type { Name, RenderedLetter, ReportFacts } from '../letter.ts'
import { day, greeting } from './format.ts'
import { Button, Layout, Paragraph } from './layout.tsx'
import { compose } from './compose.ts'

const periodOf = ({ from, to }: ReportFacts): string =>
  from === to ? day(from) : `${day(from)} to ${day(to)}`

type Props = { name: Name; report: ReportFacts; link: string }

export const reportReadyLetter = ({ name, report, link }: Props): RenderedLetter => {
  const title = `The report of ${periodOf(report)} is ready`
  const news = `${greeting(name)}, the report is ready: figures and charts as a PDF, and its orders as a CSV file.`
  const footer = `Report ${report.id}. You get this mail because you are an administrator.`
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader="A PDF, and the orders as a CSV file" footer={footer}>
        <Paragraph>{news}</Paragraph>
        <Button href={link}>Open the report</Button>
      </Layout>
    ),
    text: [news, `Open the report: ${link}`, footer],
  })
}
