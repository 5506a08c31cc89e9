import type { RealtimeService } from '../../inbox/service.ts'
import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Origin } from '../../jobs/outbox.ts'
import { AppError } from '../../shared/errors.ts'
import { hashMailedToken, isMailedToken, type MailedTokens } from '../mailed-token.ts'
import type { RecoveryRepository } from '../recovery-repository.ts'
import { refuseBreached, type Breaches } from '../refuse-breached.ts'
import type { ForgotPassword, ResetPassword } from '../schema.ts'

type Deps = {
  recovery: RecoveryRepository
  breaches: Breaches
  mailedTokens: MailedTokens
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
  hashPassword: (password: string) => string
  origin: Origin
  sockets: Pick<RealtimeService, 'sessionsEnded'>
}

/** Of a reset link. */
const minutes = 30

const unusable = (): AppError => new AppError('LINK_INVALID', 'This link is unknown, was used or has expired')

export const createRecoveryService = (deps: Deps) => {
  const { recovery, breaches, mailedTokens, dispatcher, newId, hashPassword, origin, sockets } = deps

  return {
    /** The same work, whoever has the address: one call to the database, one message to the queue, one job. */
    async forgot({ email }: ForgotPassword): Promise<void> {
      const tokenId = newId()
      const hash = hashMailedToken(mailedTokens.of(tokenId))
      const mail = dispatcher.draft(
        { type: 'mail.send', payload: { template: 'passwordReset', tokenId } },
        tokenId,
      )
      await recovery.forgot({ email, tokenId, hash, minutes, mail })
      dispatcher.send([mail])
    },

    /**
     * Two calls to the database. All sessions of the account end, and nobody is logged in by it.
     * @throws LINK_INVALID
     */
    async reset({ token, password }: ResetPassword): Promise<void> {
      if (!isMailedToken(token)) throw unusable()
      const hash = hashMailedToken(token)
      if (!(await recovery.isUsable(hash))) throw unusable()
      await refuseBreached(breaches, password)
      const notice = { id: newId(), origin }
      const owner = await recovery.reset({ hash, passwordHash: hashPassword(password), notice })
      dispatcher.send([notice])
      await sockets.sessionsEnded(owner)
    },

    purgeExpired: recovery.purgeExpired,
  }
}
