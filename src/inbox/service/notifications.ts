import type { JobHandlers } from '../../jobs/catalog.ts'
import type { Actor } from '../../shared/actor.ts'
import { found } from '../../shared/errors.ts'
import type { Inboxes } from '../inboxes.ts'
import type { InboxRepository } from '../repository.ts'
import type { ListNotifications } from '../schema.ts'

type Deps = { inboxes: Inboxes; repository: Pick<InboxRepository, 'check'> }

/** What a user is told of, for whoever asks for it; over sockets and streams it comes by itself. */
export const createNotificationService = ({ inboxes, repository }: Deps) => ({
  async list(actor: Actor, { unread = false, ...page }: ListNotifications) {
    await repository.check(actor)
    const { notifications, hasMore, epoch, head, ...rest } = await inboxes.notifications(actor.id, {
      ...page,
      unread,
    })
    const nextCursor = hasMore ? (notifications.at(-1)?.seq ?? null) : null
    return {
      data: notifications,
      page: { nextCursor, hasMore },
      unread: rest.unread,
      position: `${epoch}.${head}`,
    }
  },

  async markRead(actor: Actor, id: string) {
    await repository.check(actor)
    return found('Notification', (await inboxes.markRead(actor.id, id)) ?? undefined)
  },

  async markAllRead(actor: Actor, upTo: number): Promise<void> {
    await repository.check(actor)
    await inboxes.markAllRead(actor.id, upTo)
  },

  notify: (async ({ userId, subject }, { id }) =>
    await inboxes.notify(userId, id, subject)) satisfies JobHandlers['inbox.notify'],
})
