import type { JobFacts, RenderedLetter } from '../letter.ts'
import { Button, Layout, Paragraph, Rows } from './layout.tsx'
import { compose } from './compose.ts'

type Props = { job: JobFacts; link: string }

export const operatorAlertLetter = ({ job, link }: Props): RenderedLetter => {
  const title = `A job was given up: ${job.type}`
  const news =
    'It waits among the dead jobs for a person: retry it when the cause is mended, or discard it with a reason.'
  const facts: [string, string][] = [
    ['Job', job.id],
    ['Type', job.type],
    ['Failures', String(job.failures)],
    ['Last error', job.error ?? 'none was recorded'],
    ['Caused by request', job.requestId],
    ['Since', job.createdAt],
  ]
  const footer = 'You get this mail because OPS_EMAIL names this address.'
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader={job.error ?? job.id} footer={footer}>
        <Paragraph>{news}</Paragraph>
        <Rows rows={facts} align="left" />
        <Button href={link}>Look at the job</Button>
      </Layout>
    ),
    text: [
      news,
      facts.map(([name, value]) => `${name}: ${value}`).join('\n'),
      `Look at the job: ${link}`,
      footer,
    ],
  })
}
