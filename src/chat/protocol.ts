import { z } from '@hono/zod-openapi'

/**
 * What travels over a conversation's socket: text frames, one JSON object each, named by `type`. docs/realtime.md tells
 * them frame by frame. Beside them `ping`, a bare text, is answered `pong` without waking the room.
 *
 * Within v1 frames only ever gain optional fields, and new kinds of frames are only sent to who asked for them: a client
 * ignores the fields that it does not know.
 */
export const closeCodes = {
  /** The session has ended: log in again. */
  revoked: 4001,
  /** No longer a member: do not come back. */
  removed: 4003,
  /** More frames than anyone types: wait before coming back. */
  flood: 4008,
  /** Does not read what it is sent, or has been silent for too long: come back and resume. */
  slow: 4009,
  /** Ten frames that are none of this protocol. */
  protocol: 4400,
} as const

export const limits = {
  /** UTF-16 code units of a message. */
  content: 4_000,
  /** Bytes of a client's frame. */
  frame: 65_536,
  attachments: 10,
  clientId: 100,
  /** Messages of a page of history. */
  history: 100,
  sockets: 5,
  /** Frames that are none of the protocol before a socket is closed. */
  badFrames: 10,
  /** Bytes after which the room asks whether its frames are read (`flow`). */
  flow: 262_144,
  /** Bytes more that it sends without an answer. */
  unanswered: 1_048_576,
  /** Events that a client without a position gets; older messages are for `history`. */
  recent: 200,
} as const

/** A place in the room's log. Every durable event takes the next one, from 1; 0 is before all. */
const Seq = z.int().min(0)

/** Of one thing there is one spelling. */
const Id = z.uuid().toLowerCase()

const At = z.iso.datetime()

const Content = z
  .string()
  .max(limits.content)
  .refine(
    (text) => text.isWellFormed() && !text.includes('\u0000'),
    'must not contain NUL or a lone surrogate',
  )

export const ClientId = z
  .string()
  .min(1)
  .max(limits.clientId)
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII')

const hasText = (content: string): boolean => content.trim() !== ''

/** A file that a message shows. Its variants are read with the reader's own token, as any other file. */
export const AttachedFile = z
  .object({
    id: Id,
    name: z.string(),
    type: z.string().describe('Media type of what was uploaded'),
    variants: z.array(
      z.object({
        name: z.string(),
        url: z.string().describe('404 FILE_NOT_READY until the upload is ready'),
        type: z.string().optional().describe('From here on: if it was ready when it was brought'),
        size: z.int().optional().describe('Bytes'),
        width: z.int().optional(),
        height: z.int().optional(),
      }),
    ),
  })
  .openapi('AttachedFile', {
    example: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17',
      name: 'tear.jpg',
      type: 'image/jpeg',
      variants: ['thumb', 'medium', 'full'].map((name) => ({
        name,
        url: `/api/v1/files/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17/${name}`,
      })),
    },
  })

export type AttachedFile = z.infer<typeof AttachedFile>

/** What a message is made of, over the socket and over REST. */
export const Draft = z
  .strictObject({
    content: Content,
    /** Files that the author has brought into the conversation, over REST, before. */
    attachments: z.array(Id).max(limits.attachments).optional(),
  })
  .refine(({ content, attachments = [] }) => hasText(content) || attachments.length > 0, {
    path: ['content'],
    error: 'must not be empty without attachments',
  })

const Resume = z.strictObject({
  type: z.literal('resume'),
  /** The last seq that the client has; 0: none. */
  after: Seq,
  /** The epoch that this seq is of; without it only 0 means anything. */
  epoch: z.string().max(64).optional(),
  /** Whether events may come several to a frame. */
  batch: z.boolean().optional(),
})

const Send = z.strictObject({ type: z.literal('send'), clientId: ClientId, ...Draft.shape })

const Edit = z.strictObject({
  type: z.literal('edit'),
  id: Id,
  content: Content.refine(hasText, 'must not be empty'),
})

const Remove = z.strictObject({ type: z.literal('remove'), id: Id })

const Typing = z.strictObject({ type: z.literal('typing') })

const Delivered = z.strictObject({ type: z.literal('delivered'), seq: Seq })

const Read = z.strictObject({ type: z.literal('read'), seq: Seq })

const History = z.strictObject({
  type: z.literal('history'),
  /** Messages with a smaller seq; without it the newest. */
  before: Seq.optional(),
  limit: z.int().min(1).max(limits.history),
})

/** The answer to the room's `flow`, with its number. */
const Flow = z.strictObject({ type: z.literal('flow'), n: z.int().min(0) })

/** Which message a frame is about, although it is none of the protocol. */
export const AboutMessage = z.object({ clientId: ClientId })

export const ClientFrame = z
  .discriminatedUnion('type', [Resume, Send, Edit, Remove, Typing, Delivered, Read, History, Flow])
  .refine(
    (frame) => frame.type !== 'send' || hasText(frame.content) || (frame.attachments?.length ?? 0) > 0,
    {
      path: ['content'],
      error: 'must not be empty without attachments',
    },
  )

export type ClientFrame = z.infer<typeof ClientFrame>

export const memberRoles = ['customer', 'shop'] as const

/** Names and faces are REST's: the room holds no personal data beside what is written in it. */
const Member = z.object({ userId: Id, role: z.enum(memberRoles) })

export type Member = z.infer<typeof Member>

export const Mark = z.object({ userId: Id, delivered: Seq, read: Seq })

export type Mark = z.infer<typeof Mark>

/** What a message without an author tells, for clients that say it in their own words. */
export const System = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('orderStatus'), orderId: Id, status: z.string() }),
  z.object({ kind: z.literal('closed') }),
  z.object({ kind: z.literal('reopened') }),
])

export type System = z.infer<typeof System>

/** A message as it is now; `seq` is where it was written, edits and removal have their own. */
export const Message = z.object({
  seq: Seq,
  id: Id,
  clientId: z.string(),
  /** The author's user id; null: the system. */
  from: Id.nullable(),
  at: At,
  /** Empty once it is removed. */
  content: z.string(),
  attachments: z.array(AttachedFile).optional(),
  system: System.optional(),
  editedAt: At.optional(),
  removedAt: At.optional(),
})

export type Message = z.infer<typeof Message>

const frame = <const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), ...shape })

const MessageFrame = frame('message', Message.shape)

const MessageEdited = frame('messageEdited', { seq: Seq, id: Id, at: At, content: z.string() })

const MessageRemoved = frame('messageRemoved', { seq: Seq, id: Id, at: At, by: Id })

const memberChanges = ['joined', 'left'] as const

const MemberFrame = frame('member', {
  seq: Seq,
  userId: Id,
  change: z.enum(memberChanges),
  role: z.enum(memberRoles),
  at: At,
})

/** What takes a seq: for whoever is up to date, that of each is the one before plus 1. */
export const LogEvent = z.discriminatedUnion('type', [
  MessageFrame,
  MessageEdited,
  MessageRemoved,
  MemberFrame,
])

export type LogEvent = z.infer<typeof LogEvent>

/** The write is durable. `seq` is the message's: its `message` comes (or came) to its author too. */
const Ack = frame('ack', { clientId: z.string(), id: Id, seq: Seq, at: At })

const Receipt = frame('receipt', { marks: z.array(Mark) })

/** For the next three seconds, or until that member's message. */
const TypingFrame = frame('typing', { userId: Id })

const presences = ['online', 'offline'] as const

const Presence = frame('presence', {
  userId: Id,
  status: z.enum(presences),
  /** null while online, or when it was never seen. */
  lastSeen: At.nullable(),
})

/** The answer to `resume`; the events after the client's position follow it, in order. */
const Ready = frame('ready', {
  epoch: z.string(),
  /** The last seq of the log. */
  head: Seq,
  /** False: only the newest events follow, and older messages are for `history`. */
  complete: z.boolean(),
  /** Whose socket this is. */
  userId: Id,
  /** A closed conversation takes no messages until it is opened again. */
  closed: z.boolean(),
  members: z.array(Member),
  marks: z.array(Mark),
})

const HistoryFrame = frame('history', {
  /** What was asked. */
  before: Seq.nullable(),
  /** Oldest first. */
  messages: z.array(Message),
  hasMore: z.boolean(),
})

const FlowFrame = frame('flow', { n: z.int() })

/**
 * The position that was asked for is gone, lies ahead of the log or is of another epoch. Nothing follows: the client
 * forgets what it has of this room and resumes from 0, or from `head` of this epoch and history.
 */
const Resync = frame('resync', { epoch: z.string(), head: Seq })

const frameErrors = [
  /** Not JSON, too large, or no frame of this protocol; ten of them close the socket. */
  'INVALID_FRAME',
  /** Anything but `resume` and `flow` before `ready`. */
  'NOT_RESUMED',
  'RATE_LIMITED',
  'CONVERSATION_CLOSED',
  /** No such message, one of somebody else, or one that is removed. */
  'NOT_FOUND',
  /** A file that the author has not brought into the conversation, or has taken out of it. */
  'ATTACHMENT_REFUSED',
] as const

export type FrameErrorCode = (typeof frameErrors)[number]

const ErrorFrame = frame('error', {
  code: z.enum(frameErrors),
  /** Of the `send` that it answers. */
  clientId: z.string().optional(),
  /** Of the message whose `edit` or `remove` it answers. */
  id: Id.optional(),
  /** Milliseconds after which it may be tried again. */
  retryAfter: z.int().optional(),
})

const single = [
  MessageFrame,
  MessageEdited,
  MessageRemoved,
  MemberFrame,
  Ack,
  Receipt,
  TypingFrame,
  Presence,
] as const

/** What may come several to a frame. */
export const BatchedFrame = z.discriminatedUnion('type', single)

export type BatchedFrame = z.infer<typeof BatchedFrame>

/** Events in their order; only to clients that asked for it in `resume`. */
const Batch = frame('batch', { events: z.array(BatchedFrame) })

export const ServerFrame = z.discriminatedUnion('type', [
  ...single,
  Ready,
  HistoryFrame,
  FlowFrame,
  ErrorFrame,
  Resync,
  Batch,
])

export type ServerFrame = z.infer<typeof ServerFrame>

/** One kind of frame of the room's. */
export type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>
