import type { JobHandlers } from '../jobs/catalog.ts'
import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Origin } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { can } from '../shared/can.ts'
import { describeError } from '../shared/describe-error.ts'
import { AppError, found, notFound } from '../shared/errors.ts'
import { paginate } from '../shared/page.ts'
import type { Message } from './protocol.ts'
import { noConversation, notJoined } from './refusals.ts'
import type { Access, ConversationRepository } from './repository.ts'
import type { Membership, RoomState } from './room/state.ts'
import type { Posted, Rooms } from './rooms.ts'
import type { ConversationDetail, ListConversations, ReadMessages, SendMessage, Subject } from './schema.ts'
import { statusText } from './status-text.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  conversations: ConversationRepository
  rooms: Rooms
  dispatcher: Pick<Dispatcher, 'send'>
  newId: () => string
  origin: Origin
  log: { warn: Log }
}

type Sent = { message: Message; replayed: boolean }

const refusalOf = (posted: Exclude<Posted, { message: Message }>): AppError => {
  switch (posted.outcome) {
    case 'closed':
      return new AppError('CONVERSATION_CLOSED', 'The conversation is closed')
    case 'refused':
      return new AppError('ATTACHMENT_REFUSED', 'Bring the file into the conversation first')
    case 'notMember':
      return noConversation()
    case 'limited': {
      const seconds = String(Math.ceil(posted.retryAfter / 1_000))
      return new AppError('RATE_LIMITED', 'Too many requests: wait as long as Retry-After says', {
        headers: { 'Retry-After': seconds },
      })
    }
  }
}

/** Whether a message is not what is sent again; one that was changed since cannot tell. */
const isOther = ({ content, editedAt, removedAt }: Message, draft: SendMessage): boolean =>
  editedAt === undefined && removedAt === undefined && content !== draft.content

/**
 * Conversations over REST. The shop is one party with many people: every administrator sees every conversation; to write,
 * or to be told live, one joins. Messages are the room's; PostgreSQL knows who may, and what lists show.
 */
export const createConversationService = ({ conversations, rooms, dispatcher, newId, origin, log }: Deps) => {
  const syncOf = () => ({ id: newId(), origin })

  /** The room is told before we answer; when it cannot be reached, the job of the transaction tells it. */
  const tell = async (room: RoomState, sync: { id: string }): Promise<void> => {
    dispatcher.send([sync])
    await rooms
      .apply(room)
      .catch((error: unknown) =>
        log.warn('room not reached', { room: room.conversation.id, error: describeError(error) }),
      )
  }

  const access = async (actor: Actor, id: string, fileIds: readonly string[] = []): Promise<Access> =>
    found('Conversation', await conversations.access(actor, id, fileIds))

  const asMember = async (
    actor: Actor,
    id: string,
    fileIds?: readonly string[],
  ): Promise<Access & { member: Membership }> => {
    const { member, ...rest } = await access(actor, id, fileIds)
    if (member === null) throw notJoined()
    return { ...rest, member }
  }

  const removed = async (actor: Actor, id: string, userId: string): Promise<void> => {
    const sync = syncOf()
    const room = await conversations.removeMember(actor, id, userId, sync)
    if (room === undefined) throw notFound('Member')
    await tell(room, sync)
  }

  /** Appends what an order's history has and its conversation has not: in the order of the history. */
  const tellOrder: JobHandlers['chat.orderStatus'] = async ({ orderId }) => {
    const news = await conversations.orderNews(orderId)
    if (news === undefined) return
    for (const { status, at } of news.statuses) {
      await rooms.tell({
        conversation: news.room,
        clientId: `order:${orderId}:${status}`,
        content: statusText(status),
        system: { kind: 'orderStatus', orderId, status },
        at,
      })
    }
  }

  const tellMembers: JobHandlers['chat.members'] = async ({ conversationId }) => {
    const room = await conversations.room(conversationId)
    if (room !== undefined) await rooms.apply(room)
  }

  return {
    /** The one about this subject: found, made, or opened again. */
    async open(
      actor: Actor,
      subject: Subject,
    ): Promise<{ conversation: ConversationDetail; created: boolean }> {
      const [id, sync] = [newId(), syncOf()]
      const opened = await conversations.open(actor, id, subject, sync)
      if (opened === undefined) throw noConversation()
      const { detail, room, changed } = opened
      if (changed) await tell(room, sync)
      return { conversation: detail, created: detail.id === id }
    },

    async list(actor: Actor, query: ListConversations) {
      if (query.scope === 'all' && !can(actor, 'conversations.read', { ownerId: null })) {
        throw new AppError('FORBIDDEN', 'Only administrators see the conversations of others')
      }
      const { data, counted } = await conversations.list(actor, query)
      return { data, pagination: paginate(query, counted) }
    },

    get: async (actor: Actor, id: string): Promise<ConversationDetail> =>
      found('Conversation', await conversations.find(actor, id)),

    async messages(actor: Actor, id: string, { before, limit }: ReadMessages) {
      const { conversation } = await access(actor, id)
      const { messages, hasMore } = await rooms.page(conversation.id, { before: before ?? null, limit })
      const nextCursor = hasMore ? (messages[0]?.seq ?? null) : null
      return { data: messages, page: { nextCursor, hasMore } }
    },

    async send(actor: Actor, id: string, draft: SendMessage, clientId = newId()): Promise<Sent> {
      const posted = await rooms.post({
        ...(await asMember(actor, id, draft.attachments)),
        clientId,
        ...draft,
      })
      if (!('message' in posted)) throw refusalOf(posted)
      const { message, outcome } = posted
      if (outcome === 'known' && isOther(message, draft)) {
        throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This key was used for another message')
      }
      return { message, replayed: outcome === 'known' }
    },

    async read(actor: Actor, id: string, seq: number) {
      const { conversation, member } = await asMember(actor, id)
      const mark = await rooms.read({ conversation, member, seq })
      if (mark === null) throw noConversation()
      return mark
    },

    async addMember(actor: Actor, id: string, userId: string): Promise<ConversationDetail> {
      const sync = syncOf()
      const { detail, room, changed } = found(
        'Conversation',
        await conversations.addMember(actor, id, userId, sync),
      )
      if (changed) await tell(room, sync)
      return detail
    },

    removeMember: removed,

    leave: (actor: Actor, id: string): Promise<void> => removed(actor, id, actor.id),

    async close(actor: Actor, id: string): Promise<ConversationDetail> {
      const sync = syncOf()
      const { detail, room, changed } = found('Conversation', await conversations.close(actor, id, sync))
      if (changed) await tell(room, sync)
      return detail
    },

    tellMembers,
    tellOrder,
  }
}
