import type { Room, RoomMessage } from '../../src/client/index.ts'
import { describe } from './describe.ts'
import {
  closedLine,
  dim,
  editedLine,
  messageLine,
  removedLine,
  tickLine,
  ticks,
  type Shown,
} from './lines.ts'
import type { Names } from './names.ts'
import type { Printed } from './screen.ts'
import type { Terminal } from './terminal.ts'
import { cut, plain } from './text.ts'

type Options = {
  room: Room
  names: Names
  self: { id: string; name: string }
  print: Terminal['print']
  /** Who may open it again, should it be closed. */
  canReopen: boolean
  customer: string
}

/** One's own message, and where it stands on the screen. */
type Own = { shown: Shown; printed: Printed }

/** A conversation as it goes: what comes is printed, and so is what becomes of one's own messages. */
export const follow = ({ room, names, self, print, canReopen, customer }: Options) => {
  const shownById = new Map<string, Shown>()
  const own = new Map<string, Own>()
  let isOver = false

  // A name may have to be looked up first: what comes after it waits.
  let printing = Promise.resolve()
  const later = (work: (heardAt: number) => Promise<void> | void): void => {
    const heardAt = performance.now()
    printing = printing
      .then(async () => {
        if (!isOver) await work(heardAt)
      })
      .catch((error: unknown) => void print(describe(error)))
  }
  const nameOf = async (userId: string | null, heardAt: number) => plain(await names.nameOf(userId, heardAt))

  const show = async (message: RoomMessage, heardAt: number): Promise<void> => {
    const isOwn = message.state !== 'received'
    const name = isOwn ? self.name : await names.nameOf(message.from, heardAt)
    const shown = { ...message, name }
    if (message.id !== null) shownById.set(message.id, shown)
    const printed = print(messageLine(shown))
    if (isOwn) own.set(message.clientId, { shown, printed })
  }

  /** Where it stands, or, if that is out of reach, in a line of its own. */
  const tick = ({ clientId, state, id, at }: RoomMessage, isLast: boolean): void => {
    const one = own.get(clientId)
    if (one === undefined || one.shown.state === state) return
    const shown = { ...one.shown, at, state }
    own.set(clientId, { ...one, shown })
    if (id !== null) shownById.set(id, { ...(shownById.get(id) ?? shown), at, state })
    if (!one.printed.replace(messageLine(shown)) && isLast && ticks[state] !== '') print(tickLine(shown))
  }

  const tickAll = () => {
    const messages = room.view.messages.filter(({ state }) => state !== 'received')
    for (const message of messages) tick(message, message === messages.at(-1))
  }

  const tellClosed = () => void print(closedLine(canReopen, customer))

  const stops = [
    room.on('status', ({ status, error }) =>
      later(() => void print(dim(`(${status}${error === undefined ? '' : `: ${describe(error)}`})`))),
    ),
    room.on('message', ({ id, clientId, system }) =>
      later(async (heardAt) => {
        const { messages, isClosed } = room.view
        const message = messages.find((one) => one.id === id)
        if (message === undefined) return
        const shown = message.state === 'received' ? undefined : own.get(clientId)?.shown
        if (shown === undefined) await show(message, heardAt)
        else shownById.set(id, shown)
        room.markRead()
        // What was closed before, and opened again, is history.
        const last = messages.findLast((one) => ['closed', 'reopened'].includes(one.system?.kind ?? ''))
        if (system?.kind === 'closed' && isClosed && last?.id === id) tellClosed()
      }),
    ),
    room.on('messageEdited', ({ id, content, at }) =>
      later(() => {
        const known = shownById.get(id)
        const line = editedLine(known, content, at)
        if (line === undefined) return
        print(line)
        if (known === undefined) return
        shownById.set(id, { ...known, content })
        const one = own.get(known.clientId)
        if (one !== undefined) own.set(known.clientId, { ...one, shown: { ...one.shown, content } })
      }),
    ),
    room.on('messageRemoved', ({ id, at }) =>
      later(() => {
        const known = shownById.get(id)
        const line = removedLine(known)
        if (line === undefined) return
        print(line)
        if (known !== undefined) shownById.set(id, { ...known, removedAt: at })
      }),
    ),
    room.on('member', ({ userId, change }) =>
      later(async (heardAt) => void print(dim(`(${await nameOf(userId, heardAt)} ${change})`))),
    ),
    room.on('presence', ({ userId, status }) =>
      later(async (heardAt) => void print(dim(`(${await nameOf(userId, heardAt)} is ${status})`))),
    ),
    room.on('reset', () =>
      later(() => {
        shownById.clear()
        own.clear()
        print(dim('(the log begins anew)'))
      }),
    ),
    room.watch(() => later(tickAll)),
  ]

  return {
    /** Sends it, and shows it in place of what was typed; what becomes of it is told as it comes. */
    say(text: string, echo: Printed): void {
      if (room.view.isClosed) return tellClosed()
      room
        .send(text)
        // Also when the conversation has been left meanwhile.
        .catch((error: unknown) => void print(`Not sent. ${describe(error)} (${cut(plain(text), 40)})`))
      const message = room.view.messages.findLast(({ state }) => state === 'sending')
      // Of a pipe nothing can be replaced: there it is shown when it is stored.
      if (message === undefined || own.has(message.clientId)) return
      const shown = { ...message, name: self.name }
      if (echo.replace(messageLine(shown))) own.set(message.clientId, { shown, printed: echo })
    },
    /** Earlier messages. */
    showOlder(page: readonly { id: string }[]): void {
      const ids = new Set<string | null>(page.map(({ id }) => id))
      later(async (heardAt) => {
        for (const message of room.view.messages) if (ids.has(message.id)) await show(message, heardAt)
        if (page.length === 0) print(dim('(this is the beginning)'))
      })
    },
    /** All that has come is printed. */
    settled: (): Promise<void> => printing,
    stop(): void {
      isOver = true
      for (const stop of stops) stop()
    },
  }
}
