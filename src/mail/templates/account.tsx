import type { AccountTemplate, Name, RenderedLetter } from '../letter.ts'
import { greeting } from './format.ts'
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
  verifyEmail: {
    title: 'Confirm your e-mail address',
    preheader: 'The link works once, for a day',
    news: [
      'an account was made with this address. If it is yours, confirm that the address is, too: the link works once, and for a day.',
      'If you know of no account, do nothing: without you it cannot be confirmed.',
    ],
    action: 'Confirm this address',
    why: 'You get this mail because somebody has registered with this address.',
  },
  accountExists: {
    title: 'You have an account already',
    preheader: 'Somebody wanted to use your address for another one',
    news: [
      'somebody, most likely you, wanted to use this address for an account. There is one with it already, so nothing has changed.',
      'Log in with the password that you have. If you have forgotten it, ask for a new one.',
      'If it was not you, do nothing: nobody has learned that you have an account.',
    ],
    action: 'Ask for a new password',
    why: 'You get this mail because this address was entered for an account.',
  },
  confirmNewEmail: {
    title: 'Confirm your new e-mail address',
    preheader: 'The link works once, for an hour',
    news: [
      'somebody, most likely you, wants to use this address for an account with us from now on. The link works once, and for an hour.',
      'If it was not you, do nothing: the account keeps the address that it has.',
    ],
    action: 'Use this address',
    why: 'You get this mail because this address was entered for an account.',
  },
  emailChangeAsked: {
    title: 'Your e-mail address is about to change',
    preheader: 'If it was not you, set a new password',
    news: [
      'somebody who knows your password wants to use another e-mail address for your account. It changes as soon as that ' +
        'address is confirmed; until then everything stays as it is.',
      'If it was not you, set a new password at once: the change is then void, and whoever asked for it is logged out.',
    ],
    action: 'Set a new password',
    why: 'You get this mail because it concerns the safety of your account.',
  },
  emailChanged: {
    title: 'Your e-mail address was changed',
    preheader: 'Mail about your account goes to the new address',
    news: [
      'your account has another e-mail address now. You log in with that one, and this is the last mail that we send to the old one.',
      'If it was not you, look at your sessions while you can, and write to us at once.',
    ],
    action: 'Look at your sessions',
    why: 'You get this mail because your account had this address until now.',
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

type Props = { template: AccountTemplate; name: Name; link: string }

/** Mails about the account itself. */
export const accountLetter = ({ template, name, link }: Props): RenderedLetter => {
  const { title, preheader, news, action, why } = words[template]
  const [first = '', ...rest] = news
  const paragraphs = [`${greeting(name)}, ${first}`, ...rest]
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
