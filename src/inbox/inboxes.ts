import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError } from '../shared/errors.ts'
import { admissionHeader, type Admission } from './attachment.ts'
import type { InboxSocket } from './event-stream.ts'
import type { Notification, Subject } from './protocol.ts'
import { parse, stringify } from 'uuid'
import { targetOf, type Target, type Ticket } from './inbox.ts'

/** The binding to Inbox, as far as it is used here. */
type Binding = {
  getByName: (name: string) => {
    issue: (ticket: Omit<Ticket, 'expiresAt'> & { secret: string }) => Promise<{ expiresAt: number }>
    redeem: (shown: { secret: string; target: string }) => Promise<Pick<Ticket, 'sessionId' | 'role'> | null>
    admit: (place: { sessionId: string; target: string }) => Promise<void>
    endSessions: (ended: { sessions: string[] }) => Promise<void>
    fetch: (request: Request) => Promise<Upgraded>
    notify: (news: { userId: string; id: string; subject: Subject }) => Promise<void>
    notifications: (query: Page) => Promise<{
      notifications: Notification[]
      hasMore: boolean
      unread: number
      epoch: string
      head: number
    }>
    markRead: (read: { id: string }) => Promise<Notification | null>
    markAllRead: (read: { upTo: number }) => Promise<void>
  }
}

/** The answer to an upgrade: with the socket when it is 101. */
export type Upgraded = Response & { webSocket?: InboxSocket | null }

type Page = { before: number | null; limit: number; unread: boolean }

type Inbox = ReturnType<Binding['getByName']>

type Holder = { id: string; role: Ticket['role']; sessionId: string }

/**
 * The user's id in 22 characters, a secret of 256 bits in 43, and in 22 that they were given out here: one that was made up
 * wakes, and makes, no object. base64url, which a subprotocol may consist of.
 */
const createTickets = (tokenSecret: string) => {
  const key = createHmac('sha256', tokenSecret).update('socket tickets').digest()
  const sign = (text: string): Buffer => createHmac('sha256', key).update(text).digest().subarray(0, 16)

  return {
    write(userId: string, secret: string): string {
      const text = `${Buffer.from(parse(userId)).toString('base64url')}${secret}`
      return `${text}${sign(text).toString('base64url')}`
    },

    read(ticket: string): { userId: string; secret: string } | undefined {
      const [, user = '', secret = '', signature = ''] =
        /^([\w-]{22})([\w-]{43})([\w-]{22})$/.exec(ticket) ?? []
      const shown = Buffer.from(signature, 'base64url')
      if (shown.length !== 16 || !timingSafeEqual(shown, sign(`${user}${secret}`))) return undefined
      return { userId: stringify(Buffer.from(user, 'base64url')), secret }
    },
  }
}

export type Inboxes = ReturnType<typeof createInboxes>

/** Each user has a Durable Object of that id. */
export const createInboxes = (binding: Binding, tokenSecret: string) => {
  const tickets = createTickets(tokenSecret)
  const ask = async <T>(userId: string, call: (inbox: Inbox) => Promise<T>): Promise<T> => {
    try {
      return await call(binding.getByName(userId))
    } catch (error) {
      throw new AppError('UNAVAILABLE', 'The inbox cannot be reached', { cause: error })
    }
  }

  return {
    async issue(
      { id, role, sessionId }: Holder,
      target: Target,
    ): Promise<{ ticket: string; expiresAt: string }> {
      const secret = randomBytes(32).toString('base64url')
      const { expiresAt } = await ask(id, (inbox) =>
        inbox.issue({ secret, sessionId, role, target: targetOf(target) }),
      )
      return { ticket: tickets.write(id, secret), expiresAt: new Date(expiresAt).toISOString() }
    },

    /** Whose ticket it was; undefined when it opens nothing. */
    async redeem(ticket: string, target: Target): Promise<Holder | undefined> {
      const shown = tickets.read(ticket)
      if (shown === undefined) return undefined
      const { userId, secret } = shown
      const holder = await ask(userId, (inbox) => inbox.redeem({ secret, target: targetOf(target) }))
      return holder === null ? undefined : { id: userId, ...holder }
    },

    admit: ({ id, sessionId }: Pick<Holder, 'id' | 'sessionId'>, target: Target): Promise<void> =>
      ask(id, (inbox) => inbox.admit({ sessionId, target: targetOf(target) })),

    endSessions: (userId: string, sessions: string[]): Promise<void> =>
      ask(userId, (inbox) => inbox.endSessions({ sessions })),

    /** The object's answer to the upgrade of whom the Worker lets in. */
    connect: (admission: Admission): Promise<Upgraded> =>
      ask(admission.userId, (inbox) =>
        inbox.fetch(
          new Request('https://inbox/', {
            headers: { Upgrade: 'websocket', [admissionHeader]: JSON.stringify(admission) },
          }),
        ),
      ),

    notify: (userId: string, id: string, subject: Subject): Promise<void> =>
      ask(userId, (inbox) => inbox.notify({ userId, id, subject })),

    notifications: (userId: string, page: Page) => ask(userId, (inbox) => inbox.notifications(page)),

    markRead: (userId: string, id: string): Promise<Notification | null> =>
      ask(userId, (inbox) => inbox.markRead({ id })),

    markAllRead: (userId: string, upTo: number): Promise<void> =>
      ask(userId, (inbox) => inbox.markAllRead({ upTo })),
  }
}
