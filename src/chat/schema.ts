import { z } from '@hono/zod-openapi'
import { pageFields, reachIssue, Uuid, wholeNumber, withinReach } from '../shared/query.ts'
import { ClientId, Draft, limits, memberRoles, Message as MessageOfRoom } from './protocol.ts'
import { subjectTypes } from './subject.ts'

const id = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f31'
const userId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12'
const orderId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14'
const at = '2026-11-20T12:00:00.000Z'
const moment = z.iso.datetime()

export const Subject = z
  .strictObject({ type: z.enum(subjectTypes), id: Uuid.optional() })
  .refine(({ type, id: of }) => (type === 'support') === (of === undefined), {
    path: ['id'],
    error: 'is required of an order or a product, and support has none',
  })

export type Subject = z.infer<typeof Subject>

export const OpenConversation = z
  .strictObject({ subject: Subject })
  .openapi('OpenConversation', { example: { subject: { type: 'order', id: orderId } } })

export type OpenConversation = z.infer<typeof OpenConversation>

const message = {
  seq: 7,
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f32',
  clientId: '0f6c2a8e-1',
  from: userId,
  at,
  content: 'When will it arrive?',
}

export const Message = MessageOfRoom.openapi('Message', { example: message })

export type Message = z.infer<typeof Message>

const example = {
  id,
  subject: { type: 'order' as const, id: orderId },
  customer: { id: userId, name: 'Ada Byron' },
  closed: false,
  closedAt: null,
  unread: 1,
  lastMessage: { id: message.id, seq: 7, from: userId, at, content: message.content, attachments: 0 },
  waiting: true,
  activeAt: at,
  createdAt: at,
}

export const Conversation = z
  .object({
    id: z.uuid(),
    subject: z.object({ type: z.enum(subjectTypes), id: z.uuid().nullable() }),
    customer: z.object({ id: z.uuid(), name: z.string() }),
    closed: z.boolean(),
    closedAt: moment.nullable(),
    unread: z.int().nullable().describe('Messages after what you have read; null: you are no member'),
    lastMessage: z
      .object({
        id: z.uuid(),
        seq: z.int(),
        from: z.uuid().nullable(),
        at: moment,
        content: z.string().describe('The first 200 characters'),
        attachments: z.int().describe('How many files it has'),
      })
      .nullable()
      .describe('At most a second old'),
    waiting: z.boolean().describe('Open, and the last word is the customer’s'),
    activeAt: moment.describe('The last message, or the beginning'),
    createdAt: moment,
  })
  .openapi('Conversation', { example })

export type Conversation = z.infer<typeof Conversation>

export const ConversationMember = z
  .object({ userId: z.uuid(), name: z.string(), role: z.enum(memberRoles), joinedAt: moment })
  .openapi('ConversationMember', { example: { userId, name: 'Ada Byron', role: 'customer', joinedAt: at } })

export type ConversationMember = z.infer<typeof ConversationMember>

export const ConversationDetail = Conversation.extend({ members: z.array(ConversationMember) }).openapi(
  'ConversationDetail',
  {
    example: {
      ...example,
      members: [{ userId, name: 'Ada Byron', role: 'customer' as const, joinedAt: at }],
    },
  },
)

export type ConversationDetail = z.infer<typeof ConversationDetail>

export const ListConversations = z
  .strictObject({
    ...pageFields,
    scope: z.enum(['mine', 'all']).default('mine').describe('all: the shop’s inbox, administrators only'),
    status: z.enum(['open', 'closed', 'any']).default('any'),
  })
  .refine(withinReach, reachIssue)

export type ListConversations = z.infer<typeof ListConversations>

export const ReadMessages = z.strictObject({
  before: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a seq')
    .transform(Number)
    .optional()
    .openapi({ type: 'integer', description: 'Messages with a smaller seq: nextCursor of the page before' }),
  limit: wholeNumber(1, limits.history, 50),
})

export type ReadMessages = z.infer<typeof ReadMessages>

export const MessagePage = z.object({
  data: z.array(Message).describe('Oldest first'),
  page: z.object({
    nextCursor: z.int().nullable().describe('`before` of the next, older page'),
    hasMore: z.boolean(),
  }),
})

export const SendMessage = Draft.openapi('SendMessage', { example: { content: message.content } })

export type SendMessage = z.infer<typeof SendMessage>

export const SendHeaders = z.object({
  'idempotency-key': ClientId.optional().openapi({
    description:
      'The clientId of the message, as over the socket: the same key of the same account in the same conversation is ' +
      'the same message, however it is sent, for as long as the message is kept. A replay says `Idempotency-Replayed`.',
    example: '0f6c2a8e-1',
  }),
})

export const MarkRead = z.strictObject({ seq: z.int().min(0) }).openapi('MarkRead', { example: { seq: 7 } })

export type MarkRead = z.infer<typeof MarkRead>

export const ReadMark = z
  .object({ delivered: z.int(), read: z.int() })
  .openapi('ReadMark', { example: { delivered: 7, read: 7 } })

export const AddMember = z.strictObject({ userId: Uuid }).openapi('AddMember', { example: { userId } })

export type AddMember = z.infer<typeof AddMember>

export const memberParams = z.object({
  id: Uuid.openapi({ param: { name: 'id', in: 'path' }, example: id }),
  userId: Uuid.openapi({ param: { name: 'userId', in: 'path' }, example: userId }),
})
