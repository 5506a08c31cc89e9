import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Origin } from '../../jobs/outbox.ts'
import { AppError } from '../../shared/errors.ts'
import type { EmailRepository } from '../email-repository.ts'
import { hashMailedToken, isMailedToken, type MailedTokens } from '../mailed-token.ts'
import { refuseBreached, type Breaches } from '../refuse-breached.ts'
import type { Register, Registered, ResendVerification, VerifyEmail } from '../schema.ts'

type Deps = {
  emails: EmailRepository
  breaches: Breaches
  mailedTokens: MailedTokens
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
  hashPassword: (password: string) => string
  origin: Origin
}

/** Of a link that confirms the address of an account: a day. */
const minutes = 24 * 60

const unusable = (): AppError => new AppError('LINK_INVALID', 'This link is unknown, was used or has expired')

/** Accounts that people make for themselves, and the confirmation of their addresses. */
export const createRegistrationService = (deps: Deps) => {
  const { emails, breaches, mailedTokens, dispatcher, newId, hashPassword, origin } = deps

  const newLink = () => {
    const tokenId = newId()
    return { tokenId, hash: hashMailedToken(mailedTokens.of(tokenId)), minutes }
  }

  return {
    /** The same work, whoever has the address: one hash, one call to the database, one message to the queue, one job. */
    async register({ password, ...rest }: Register): Promise<Registered> {
      await refuseBreached(breaches, password)
      const mail = { id: newId(), origin }
      const account = { id: newId(), ...rest, passwordHash: hashPassword(password) }
      await emails.register(account, { ...newLink(), mail })
      dispatcher.send([mail])
      return { email: rest.email }
    },

    /** The same work for an address that nobody has, or that is confirmed. Earlier links go on working. */
    async resend({ email }: ResendVerification): Promise<void> {
      const link = newLink()
      const { tokenId } = link
      const payload = { template: 'verifyEmail', tokenId } as const
      const mail = dispatcher.draft({ type: 'mail.send', payload }, tokenId)
      await emails.resend(email, link, mail)
      dispatcher.send([mail])
    },

    /** By the link of a registration, or of a change of address. @throws LINK_INVALID, EMAIL_TAKEN */
    async verify({ token }: VerifyEmail): Promise<void> {
      if (!isMailedToken(token)) throw unusable()
      const notice = { id: newId(), origin }
      if (await emails.confirm({ hash: hashMailedToken(token), notice })) dispatcher.send([notice])
    },
  }
}
