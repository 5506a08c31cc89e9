import type { LogEvent, Message } from '../chat/protocol.ts'

/**
 * What is known of a room's log: the messages from `floor` on, and the place up to which nothing is missing. A new log
 * knows no place; the first event says where it begins.
 */
export const createLog = () => {
  let position = 0
  let floor = 0
  let anchored = false
  let hasMore = true
  let messages: Message[] = []
  const byId = new Map<string, number>()

  const find = (id: string): Message | undefined => {
    const n = byId.get(id)
    return n === undefined ? undefined : messages[n]
  }

  const put = (message: Message) => {
    const n = byId.get(message.id)
    if (n !== undefined) messages[n] = message
  }

  const index = () => {
    byId.clear()
    for (const [n, { id }] of messages.entries()) byId.set(id, n)
  }

  const take = (event: LogEvent) => {
    if (event.type === 'message') {
      const { type: _, ...message } = event
      byId.set(message.id, messages.push(message) - 1)
      return
    }
    if (event.type === 'member') return
    // A message that was not loaded is current when the history brings it.
    const known = find(event.id)
    if (known === undefined) return
    if (event.type === 'messageEdited') return put({ ...known, content: event.content, editedAt: event.at })
    const { attachments: _, ...rest } = known
    put({ ...rest, content: '', removedAt: event.at })
  }

  return {
    /** The last seq up to which nothing is missing; 0: none. */
    get position() {
      return position
    },
    /** The first seq that is covered: older messages are in the history before it. */
    get floor() {
      return floor
    },
    get anchored() {
      return anchored
    },
    get hasMore() {
      return hasMore
    },
    get messages(): readonly Message[] {
      return messages
    },

    find,

    /** Forgets everything; `whole`: the log begins at 1, otherwise where the first event says. */
    begin(whole: boolean): void {
      position = 0
      floor = whole ? 1 : 0
      anchored = whole
      hasMore = !whole
      messages = []
      byId.clear()
    },

    /** `known`: it was here before. `gap`: something is missing before it, and nothing was changed. */
    apply(event: LogEvent): 'applied' | 'known' | 'gap' {
      if (!anchored) {
        anchored = true
        floor = event.seq
        position = event.seq - 1
        hasMore = floor > 1
      }
      if (event.seq <= position) return 'known'
      if (event.seq > position + 1) return 'gap'
      position = event.seq
      take(event)
      return 'applied'
    },

    /** A page of history before `floor`, oldest first; answers what of it was new. */
    prepend(page: readonly Message[], more: boolean): Message[] {
      const fresh = page.filter(({ seq }) => seq < floor)
      floor = fresh[0]?.seq ?? floor
      hasMore = more && fresh.length > 0
      messages = [...fresh, ...messages]
      index()
      return fresh
    },
  }
}
