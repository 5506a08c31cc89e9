import type { AccountTemplate, RenderedLetter } from '../letter.ts'
import { Button, Layout, Paragraph } from './layout.tsx'
import { compose } from './compose.ts'

type Words = { title: string; preheader: string; news: string[]; action: string; why: string }

const words: Record<AccountTemplate, Words> = {
  passwordReset: {
    title: 'Set a new password',
    preheader: 'The link works once, for 30 minutes',
    news: [
      'somebody, most likely you, has asked for a new password for your account. The link works once, and for 30 minutes.',
      'If it was not you, do nothing: your password stays as it is.',
    ],
    action: 'Set a new password',
    why: 'You get this mail because a new password was asked for with this address.',
  },
  passwordChanged: {
    title: 'Your password was changed',
    preheader: 'Other sessions of your account have ended',
    news: [
      'the password of your account was changed just now, and sessions that were open elsewhere have ended.',
      'If it was not you, ask for a new password at once, and look at your sessions.',
    ],
    action: 'Look at your sessions',
    why: 'You get this mail because it concerns the safety of your account.',
  },
  sessionReused: {
    title: 'We have ended one of your sessions',
    preheader: 'Somebody else may have had a key to it',
    news: [
      'a key to one of your sessions was used twice. That happens when somebody has copied it, so we have ended the ' +
        'session: whoever had it is logged out. Your other sessions go on.',
      'You can log in again. If you do not know why this happened, look at your sessions and change your password.',
    ],
    action: 'Look at your sessions',
    why: 'You get this mail because it concerns the safety of your account.',
  },
}

type Props = { template: AccountTemplate; name: string; link: string }

/** Mails about the account itself. */
export const accountLetter = ({ template, name, link }: Props): RenderedLetter => {
  const { title, preheader, news, action, why } = words[template]
  const [first = '', ...rest] = news
  const paragraphs = [`Dear ${name}, ${first}`, ...rest]
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader={preheader} footer={why}>
        {paragraphs.map((text) => (
          <Paragraph>{text}</Paragraph>
        ))}
        <Button href={link}>{action}</Button>
      </Layout>
    ),
    text: [...paragraphs, `${action}: ${link}`, why],
  })
}
