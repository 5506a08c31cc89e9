import type { InfectedFile, Name, RenderedLetter } from '../letter.ts'
import { cleanFileName } from '../../shared/file-name.ts'
import { compose } from './compose.ts'
import { greeting, shortened } from './format.ts'
import { Button, Layout, Paragraph, Rows } from './layout.tsx'

/** Somebody else's words are repeated no longer than it takes to know them again. */
const factsOf = ({ id, name, found }: InfectedFile): [string, string][] => [
  ['File', shortened(cleanFileName(name))],
  ['Found', shortened(found)],
  ['Upload', id],
]

const textOf = (facts: [string, string][]): string =>
  facts.map(([name, value]) => `${name}: ${value}`).join('\n')

type Owner = { name: Name; file: InfectedFile; link: string }

export const fileInfectedLetter = ({ name, file, link }: Owner): RenderedLetter => {
  const title = 'A file that you sent was deleted'
  const news = `${greeting(name)}, our scanner has found something harmful in a file that you sent. We have deleted it, and nobody has seen it.`
  const advice =
    'If you know the file, your own copy of it and the device that it is on may be infected too. If you do not, change your password.'
  const facts = factsOf(file)
  const footer = 'You get this mail because the file was sent with your account.'
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader="Look at the device that it came from" footer={footer}>
        <Paragraph>{news}</Paragraph>
        <Rows rows={facts} align="left" />
        <Paragraph>{advice}</Paragraph>
        <Button href={link}>See where you are logged in</Button>
      </Layout>
    ),
    text: [news, textOf(facts), advice, `See where you are logged in: ${link}`, footer],
  })
}

type Operators = { userId: string; file: InfectedFile; link: string }

export const infectedAlertLetter = ({ userId, file, link }: Operators): RenderedLetter => {
  const title = 'An infected file was sent'
  const news = 'The scanner has found something in an upload. It is deleted, and its owner was told.'
  const facts: [string, string][] = [...factsOf(file), ['Account', userId]]
  const footer = 'You get this mail because OPS_EMAIL names this address.'
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader="It is deleted, and its owner was told" footer={footer}>
        <Paragraph>{news}</Paragraph>
        <Rows rows={facts} align="left" />
        <Button href={link}>Look at the upload</Button>
      </Layout>
    ),
    text: [news, textOf(facts), `Look at the upload: ${link}`, footer],
  })
}
