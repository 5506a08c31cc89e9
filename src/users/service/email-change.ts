import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Origin } from '../../jobs/outbox.ts'
import type { Actor } from '../../shared/actor.ts'
import type { CurrentPassword } from '../current-password.ts'
import type { EmailRepository } from '../email-repository.ts'
import { hashMailedToken, type MailedTokens } from '../mailed-token.ts'
import type { ChangeEmail } from '../schema.ts'

type Deps = {
  emails: EmailRepository
  currentPassword: CurrentPassword
  mailedTokens: MailedTokens
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
  origin: Origin
}

/** Of a link that changes an address. */
const minutes = 60

export const createEmailChangeService = (deps: Deps) => {
  const { emails, currentPassword: current, mailedTokens, dispatcher, newId, origin } = deps

  return {
    /**
     * Two calls to the database. Nothing changes until the link at the new address is used; the old address is told.
     * The same work whether the new one is taken or not.
     * @throws VALIDATION_FAILED
     */
    async ask(actor: Actor, { email, currentPassword }: ChangeEmail): Promise<void> {
      const verifiedHash = await current.check(actor, currentPassword)
      const tokenId = newId()
      const hash = hashMailedToken(mailedTokens.of(tokenId))
      const mail = { id: newId(), origin }
      const payload = { template: 'emailChangeAsked', userId: actor.id } as const
      const notice = dispatcher.draft({ type: 'mail.send', payload }, actor.id)
      await emails.askChange(actor, { email, verifiedHash, tokenId, hash, minutes, mail, notice })
      dispatcher.send([mail, notice])
    },
  }
}
