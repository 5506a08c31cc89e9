import { z } from 'zod'

/**
 * What travels over the user's own socket, in the manner of a conversation's (src/chat/protocol.ts) and under the same
 * subprotocol: text frames, one JSON object each; `ping` is answered `pong` without waking the inbox.
 */

/** A place in the inbox's log of notifications, from 1; 0 is before all. */
const Seq = z.int().min(0)

const At = z.iso.datetime()

/** What a notification tells, by kind. Kinds are added: a client ignores those that it does not know. */
export const Subject = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('orderStatus'), orderId: z.uuid(), status: z.string() }),
  z.object({
    kind: z.literal('upload'),
    uploadId: z.uuid(),
    status: z.enum(['ready', 'infected', 'rejected', 'failed']),
  }),
  z.object({ kind: z.literal('reportReady'), reportId: z.uuid() }),
])

export type Subject = z.infer<typeof Subject>

export const Notification = z.object({
  seq: Seq,
  id: z.uuid(),
  at: At,
  subject: Subject,
  readAt: At.nullable(),
})

export type Notification = z.infer<typeof Notification>

/** The only frame of a client, once: what it has. */
export const ClientFrame = z.strictObject({
  type: z.literal('resume'),
  /** The last seq that it has; 0: none. Without it only what is new from now on is sent. */
  after: Seq.optional(),
  /** The epoch that this seq is of; without it only 0 means anything. */
  epoch: z.string().max(64).optional(),
})

export type ClientFrame = z.infer<typeof ClientFrame>

const Unread = z.object({ conversationId: z.uuid(), unread: z.int().min(0) })

export const ServerFrame = z.discriminatedUnion('type', [
  /** The answer to `resume`; the notifications after the client's position follow it, in order. */
  z.object({ type: z.literal('ready'), epoch: z.string(), head: Seq, unread: z.array(Unread) }),
  z.object({ type: z.literal('notification'), ...Notification.shape }),
  /** How it is now; not in the log, because only the newest counts. */
  z.object({ type: z.literal('unread'), ...Unread.shape }),
  /** In place of `ready`: the position is gone, lies ahead or is of another epoch. Get the list over REST; here go on what comes after `head`. */
  z.object({ type: z.literal('resync'), epoch: z.string(), head: Seq, unread: z.array(Unread) }),
  z.object({ type: z.literal('error'), code: z.enum(['INVALID_FRAME']) }),
])

export type ServerFrame = z.infer<typeof ServerFrame>

/** How long and how many notifications are kept. */
export const retention = { days: 7, count: 1_000 } as const

/** Sockets and event streams that an inbox has at a time. */
export const maxSockets = 10

/** Frames that are none of the protocol before a socket is closed. */
export const maxBadFrames = 10

/** As of a conversation's sockets. */
export const closeCodes = { revoked: 4001, silent: 4009, protocol: 4400 } as const
