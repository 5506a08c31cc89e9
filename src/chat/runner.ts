import { createConnections, type Wire } from './connections.ts'
import { audienceOf, createFanOut, type Audience } from './fan-out.ts'
import type { ServerFrame } from './protocol.ts'
import { marksForAuthors, reachOf } from './receipts.ts'
import { step } from './room.ts'
import type { Change, Effect, Event, State } from './room/state.ts'
import type { RoomStore } from './store.ts'

/** Milliseconds. */
const receiptsEvery = 250

/** Events of the log that are read at a time for somebody who is behind. */
const catchUpPage = 100

/** Bytes of the log above which its oldest events are dropped; SQLite takes 10 GB. */
const maxBytes = 8_000_000_000
const dropAmount = 5_000
const sizeEvery = 1_024

type Deps = {
  store: RoomStore
  initial: State
  /** Frames that follow `ready`. */
  afterReady: () => ServerFrame[]
  /** The room is to be told to others soon. */
  publishSoon: () => void
  /** Members or sockets may have changed. */
  changed: () => void
  closed: (id: string) => void
  /** What is in memory may differ from what is on disk. */
  failed: (error: unknown) => void
}

/** Carries out what room.ts decides: the one place where the state of a room changes. */
export const createRunner = <W extends Wire>(deps: Deps) => {
  const { store, afterReady, publishSoon, changed, closed, failed } = deps
  let state = deps.initial
  /** Receipts are on their way: what changes until then goes with them. */
  let isTelling = false
  /** Undefined when sockets have changed since it was asked for: most steps leave them alone. */
  let audience: Audience | undefined

  const connections = createConnections<W>({
    stateOf: (id) => state.sockets.get(id),
    onSlow: (id) => run({ type: 'slow', socket: id }),
  })

  const fanOut = createFanOut({
    audience: () => (audience ??= audienceOf(state.sockets.values())),
    write: connections.write,
  })

  const become = (next: State): void => {
    if (next.sockets !== state.sockets) audience = undefined
    state = next
  }

  const broadcast = ({ frame, except }: { frame: ServerFrame; except?: string }): void => {
    const text = JSON.stringify(frame)
    if (except !== undefined) return fanOut.toOthers(except, text)
    fanOut.toAll(text)
    // What is in no log, who catches up would not hear of later.
    if (frame.type !== 'receipt' && frame.type !== 'presence') return
    const bytes = Buffer.byteLength(text)
    for (const { id, mode } of state.sockets.values())
      if (mode === 'behind') connections.write(id, text, bytes)
  }

  const send = (id: string, frame: ServerFrame): void => {
    const text = JSON.stringify(frame)
    connections.write(id, text, Buffer.byteLength(text))
  }

  const close = (id: string, code: number, reason: string): void => {
    connections.close(id, code, reason)
    closed(id)
  }

  const tellReceiptsSoon = (): void => {
    if (isTelling) return
    isTelling = true
    setTimeout(() => {
      isTelling = false
      run({ type: 'receiptsDue' })
    }, receiptsEvery)
  }

  const tellAuthors = (changes: readonly Change[]): void => {
    const { from, to } = reachOf(changes)
    const marks = marksForAuthors(changes, store.authors(from, to))
    for (const { id, userId, mode } of state.sockets.values()) {
      const own = marks.get(userId)
      if ((mode === 'live' || mode === 'behind') && own !== undefined)
        send(id, { type: 'receipt', marks: own })
    }
  }

  /** Sends the log from where the socket is, as far as it reads; then it is live. */
  const catchUp = (id: string): void => {
    for (;;) {
      const socket = state.sockets.get(id)
      if (socket?.mode !== 'behind' || !connections.outletOf(id)?.isOpen()) return
      const events = store.after(socket.position, catchUpPage)
      const position = events.at(-1)?.seq ?? socket.position
      if (events.length === 0) {
        // What the others still wait for, this one has had.
        fanOut.flush()
        return run({ type: 'advanced', socket: id, position, live: true })
      }
      if (socket.batch && events.length > 1) send(id, { type: 'batch', events })
      else for (const event of events) send(id, event)
      run({ type: 'advanced', socket: id, position, live: false })
    }
  }

  const trim = (): void => {
    if (store.size() < maxBytes) return
    run({ type: 'trimmed', first: store.dropOldest(state.first, dropAmount) })
  }

  const perform = (effect: Effect): void => {
    switch (effect.do) {
      case 'append':
        store.append(effect.event, effect.n)
        if (effect.event.seq % sizeEvery === 0) trim()
        return
      case 'saveMember':
        return store.saveMember(effect.member)
      case 'saveMarks':
        return store.saveMarks(effect.marks)
      case 'saveClosed':
        return store.saveClosed(effect.closed)
      case 'send':
        send(effect.to, effect.frame)
        if (effect.frame.type === 'ready') for (const frame of afterReady()) send(effect.to, frame)
        return
      case 'broadcast':
        return broadcast(effect)
      case 'tellAuthors':
        return tellAuthors(effect.changes)
      case 'catchUp':
        return catchUp(effect.socket)
      case 'page': {
        const { to, before, limit } = effect
        return send(to, { type: 'history', before, ...store.page(before, limit) })
      }
      case 'close':
        return close(effect.socket, effect.code, effect.reason)
      case 'receiptsSoon':
        return tellReceiptsSoon()
      case 'publish':
        return publishSoon()
    }
  }

  const run = (event: Event): void => {
    try {
      const before = state.sockets.size
      const { state: after, effects } = step(state, event)
      become(after)
      for (const effect of effects) perform(effect)
      if (event.type === 'applied' || state.sockets.size !== before) changed()
    } catch (error) {
      failed(error)
      throw error
    }
  }

  return {
    run,
    connections,
    state: (): State => state,
    tell: (frame: ServerFrame): void => broadcast({ frame }),

    /** A socket that outlived the room's sleep. */
    wake(wire: W): void {
      const socket = connections.wake(wire)
      if (socket !== undefined) become({ ...state, sockets: state.sockets.set(socket.id, socket) })
    },

    /** It is gone, or is to go. */
    drop(id: string, code: number, reason: string): void {
      run({ type: 'disconnected', socket: id })
      close(id, code, reason)
    },
  }
}

export type Runner = ReturnType<typeof createRunner>
