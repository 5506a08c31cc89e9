import type { Access, ConversationRepository } from '../chat/repository.ts'
import type { Rooms } from '../chat/rooms.ts'
import type { JobHandlers } from '../jobs/catalog.ts'
import type { UserActor } from '../shared/actor.ts'
import { describeError } from '../shared/describe-error.ts'
import { AppError, found, notFound } from '../shared/errors.ts'
import { within } from '../shared/within.ts'
import { eventStream, positionOf } from './event-stream.ts'
import type { Target } from './inbox.ts'
import type { Inboxes, Upgraded } from './inboxes.ts'
import type { InboxRepository } from './repository.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  inboxes: Inboxes
  rooms: Pick<Rooms, 'apply' | 'connect'>
  conversations: Pick<ConversationRepository, 'access'>
  repository: InboxRepository
  log: { warn: Log }
}

/** How somebody shows who opens a socket. */
export type Credential = { ticket: string } | { actor: UserActor }

/** What an object has let in. @throws UNAUTHENTICATED, TOO_MANY_SOCKETS, UNAVAILABLE */
const admitted = <R extends { status: number }>(response: R, crowded: string): R => {
  if (response.status === 101) return response
  if (response.status === 401) throw new AppError('UNAUTHENTICATED', 'The session has ended; log in again')
  if (response.status === 429) {
    throw new AppError('TOO_MANY_SOCKETS', crowded, { headers: { 'Retry-After': '60' } })
  }
  throw new AppError('UNAVAILABLE', 'The object refuses the socket')
}

/** Milliseconds that an answer waits for sockets to be closed; then the job closes them. */
const patience = 3_000

export type RealtimeService = ReturnType<typeof createRealtimeService>

/** Who may open sockets, and that they close when they no longer may. */
export const createRealtimeService = ({ inboxes, rooms, conversations, repository, log }: Deps) => {
  const asMember = async (actor: UserActor, id: string) => {
    const { conversation, member }: Access = found('Conversation', await conversations.access(actor, id))
    if (member === null) throw new AppError('FORBIDDEN', 'Join the conversation first')
    return { conversation, member }
  }

  const redeem = async (ticket: string, target: Target): Promise<UserActor> => {
    const holder = await inboxes.redeem(ticket, target)
    if (holder !== undefined) return { kind: 'user', ...holder }
    throw new AppError(
      'TICKET_INVALID',
      'The ticket is unknown, was used, has expired or is for something else',
    )
  }

  /** The inbox learns of the place before the database is asked: a session that ends now is found in time. */
  const identify = async (credential: Credential, target: { conversationId: string }): Promise<UserActor> => {
    if ('actor' in credential) {
      // A ticket is only given to members; without one nobody has asked yet, and the inbox keeps no places of no account.
      await asMember(credential.actor, target.conversationId)
      await inboxes.admit(credential.actor, target)
      return credential.actor
    }
    return await redeem(credential.ticket, target)
  }

  const connectInbox = async (actor: UserActor): Promise<Upgraded> => {
    await repository.check(actor)
    const response = await inboxes.connect({ userId: actor.id, sessionId: actor.sessionId })
    return admitted(response, 'This account has as many sockets and streams as it can have')
  }

  return {
    /** @throws NOT_FOUND, FORBIDDEN */
    async issueTicket(actor: UserActor, target: Target): Promise<{ ticket: string; expiresAt: string }> {
      if ('inbox' in target) await repository.check(actor)
      else await asMember(actor, target.conversationId)
      return await inboxes.issue(actor, target)
    },

    /** The room's answer to the upgrade: 101. */
    async connect(credential: Credential, conversationId: string) {
      const actor = await identify(credential, { conversationId })
      const { conversation, member } = await asMember(actor, conversationId)
      const { userId, role, version } = member
      const response = await rooms.connect({
        userId,
        sessionId: actor.sessionId,
        role,
        version,
        conversation,
      })
      if (response.status === 404) throw notFound('Conversation')
      return admitted(response, 'This account has as many sockets in this conversation as it can have')
    },

    /** The inbox's answer to the upgrade: 101. */
    async connectInbox(credential: Credential): Promise<Upgraded> {
      const hasTicket = 'ticket' in credential
      return await connectInbox(
        hasTicket ? await redeem(credential.ticket, { inbox: true }) : credential.actor,
      )
    },

    /** Server-Sent Events of the actor's inbox. */
    async events(actor: UserActor, lastEventId: string | undefined): Promise<ReadableStream<Uint8Array>> {
      const { webSocket } = await connectInbox(actor)
      if (!webSocket) throw new AppError('UNAVAILABLE', 'The inbox cannot be reached')
      return eventStream(webSocket, positionOf(lastEventId))
    },

    /**
     * After the transaction that ended sessions of this user (those that were ended within the minute, where it is not said
     * which). Never throws: the job that the database has written with it does the same.
     */
    async sessionsEnded(userId: string, sessions?: string[]): Promise<void> {
      try {
        const ended = sessions ?? (await repository.justEnded(userId))
        if (ended.length > 0) await within(patience, inboxes.endSessions(userId, ended))
      } catch (error) {
        log.warn('sockets of ended sessions not closed yet', { userId, error: describeError(error) })
      }
    },

    /** The same after one that took memberships from a user: an administrator is one no more. */
    async membershipsEnded(userId: string): Promise<void> {
      try {
        const left = await repository.justLeft(userId)
        await within(patience, Promise.all(left.map((room) => rooms.apply(room))))
      } catch (error) {
        log.warn('rooms not told of who has left', { userId, error: describeError(error) })
      }
    },

    closeSockets: (async ({ userId, sessionId }) =>
      await inboxes.endSessions(userId, [sessionId])) satisfies JobHandlers['sessions.ended'],
  }
}
