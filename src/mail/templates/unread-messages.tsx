import type { Name, RenderedLetter, UnreadFacts } from '../letter.ts'
import { greeting } from './format.ts'
import { Button, Layout, Paragraph, Rows } from './layout.tsx'
import { compose } from './compose.ts'

const subjects: Record<UnreadFacts['subject'], string> = {
  order: 'About an order',
  product: 'About a product',
  support: 'With our support',
}

/** Conversations that the mail names one by one. */
const named = 10

const countOf = (unread: number): string => (unread === 1 ? '1 message' : `${unread} messages`)

type Props = { name: Name; conversations: UnreadFacts[]; link: string }

/** What is written in conversations stays there: a mail says only that there is something. */
export const unreadMessagesLetter = ({ name, conversations, link }: Props): RenderedLetter => {
  const unread = conversations.reduce((sum, one) => sum + one.unread, 0)
  const title = unread === 1 ? 'You have an unread message' : `You have ${unread} unread messages`
  const news = `${greeting(name)}, while you were away somebody wrote to you.`
  const rows = conversations
    .slice(0, named)
    .map((one): [string, string] => [subjects[one.subject], countOf(one.unread)])
  const footer =
    'You get this mail because you have not read them yet. There is no second one until you have been here.'
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader={news} footer={footer}>
        <Paragraph>{news}</Paragraph>
        <Rows rows={rows} />
        <Button href={link}>Read them</Button>
      </Layout>
    ),
    text: [news, rows.map(([what, count]) => `${what}: ${count}`).join('\n'), `Read them: ${link}`, footer],
  })
}
