import type { Dispatcher } from '../../jobs/dispatcher.ts'
import type { Origin } from '../../jobs/outbox.ts'
import type { UserActor } from '../../shared/actor.ts'
import { AppError, notFound } from '../../shared/errors.ts'
import { paginate, type PageRequest } from '../../shared/page.ts'
import type { RefreshTokens } from '../refresh-token.ts'
import type { RealtimeService } from '../../inbox/service.ts'
import type { TokenReply } from '../schema.ts'
import type { SessionRepository } from '../session-repository.ts'
import { tokenReply } from '../token-reply.ts'
import type { Tokens } from '../tokens.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  sessions: SessionRepository
  tokens: Pick<Tokens, 'issue' | 'life'>
  refreshTokens: RefreshTokens
  dispatcher: Pick<Dispatcher, 'send'>
  newId: () => string
  origin: Origin
  log: { warn: Log }
  sockets: Pick<RealtimeService, 'sessionsEnded'>
}

const ended = (): AppError => new AppError('REFRESH_INVALID', 'The session has ended; log in again')

const reused = (): AppError =>
  new AppError('REFRESH_REUSED', 'This refresh token was used before; its session has ended')

export const createSessionService = (deps: Deps) => {
  const { sessions, tokens, refreshTokens, dispatcher, newId, origin, log, sockets } = deps

  /** False when the account has no such living session. */
  const end = async (actor: UserActor, id: string): Promise<boolean> => {
    const ended = await sessions.end(actor, id)
    if (ended) await sockets.sessionsEnded(actor.id, [id])
    return ended
  }

  return {
    /**
     * Exchanges a refresh token: one call to the database. With the same `key`, within a minute and as long as the
     * successor is unused, the same token gets the same successor; any other second use ends the session.
     * @throws REFRESH_INVALID, REFRESH_REUSED
     */
    async refresh(text: string | undefined, key: string | undefined): Promise<TokenReply> {
      const shown = text === undefined ? undefined : refreshTokens.read(text)
      if (shown === undefined) throw ended()
      const refresh = refreshTokens.successor(shown, key)
      const notice = { id: newId(), origin }
      const exchange = { hash: shown.hash, successorHash: refresh.hash }
      const { noticed, ...exchanged } = await sessions.refresh(exchange, notice)
      if (noticed) {
        dispatcher.send([notice])
        log.warn('refresh token used again: its session has ended', {})
        if ('user' in exchanged) await sockets.sessionsEnded(exchanged.user.id, [exchanged.sessionId])
      }
      if (exchanged.verdict === 'reused') throw reused()
      if (exchanged.verdict !== 'good') throw ended()
      const { user, sessionId } = exchanged
      return await tokenReply(tokens, { user, sessionId, refresh })
    },

    async list(actor: UserActor, query: PageRequest) {
      const { data, counted } = await sessions.list(actor, query)
      return { data, pagination: paginate(query, counted) }
    },

    logout: async (actor: UserActor): Promise<void> => void (await end(actor, actor.sessionId)),

    async logoutAll(actor: UserActor): Promise<void> {
      await sessions.endAll(actor)
      await sockets.sessionsEnded(actor.id)
    },

    async end(actor: UserActor, id: string): Promise<void> {
      if (!(await end(actor, id))) throw notFound('Session')
    },
  }
}
