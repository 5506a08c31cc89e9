import type { Message, ServerFrame } from '../chat/protocol.ts'
import { ChatError } from './chat-error.ts'
import { createConnection } from './connection.ts'
import { createEvents } from './events.ts'
import { createMachine, type Effect, type Input } from './machine.ts'
import { limits } from './protocol-values.ts'
import type { AttachedFile, RoomEvent, RoomView, Sent } from './room-types.ts'

type Options = {
  url: string
  getTicket: () => Promise<string>
  WebSocket?: unknown
  onClosed: () => void
}

/** What `addFiles` of the REST client has answered. */
export type SendOptions = { attachments?: AttachedFile[] }

export type Room = ReturnType<typeof createRoom>

const problemOf = (content: string, attachments: readonly unknown[] = []): string | undefined => {
  if (content.length > limits.content) return `A message has at most ${limits.content} characters`
  if (content.trim() === '' && attachments.length === 0) return 'A message must not be empty'
  if (attachments.length > limits.attachments)
    return `A message has at most ${limits.attachments} attachments`
  // Neither can be stored.
  return /\0/.test(content) || !content.isWellFormed() ? 'A message must be well-formed text' : undefined
}

const parse = (text: string): ServerFrame | 'pong' | undefined => {
  if (text === 'pong') return text
  try {
    const frame: unknown = JSON.parse(text)
    // The room's word is taken for the fields: they are what docs/realtime.md promises.
    return typeof frame === 'object' && frame !== null && 'type' in frame ? (frame as ServerFrame) : undefined
  } catch {
    return undefined
  }
}

type Pending = {
  resolve: (value: Sent | readonly Message[] | undefined) => void
  reject: (error: ChatError) => void
}

/** The shell of the machine: socket, timer, promises and listeners. */
export const createRoom = ({ url, getTicket, WebSocket, onClosed }: Options) => {
  const machine = createMachine()
  const events = createEvents<RoomEvent>()
  const watchers = new Set<() => void>()
  const pending = new Map<string, Pending>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let key = 0

  const perform = (effect: Effect): void => {
    switch (effect.type) {
      case 'send':
        return connection.send(typeof effect.frame === 'string' ? effect.frame : JSON.stringify(effect.frame))
      case 'event':
        return events.emit(effect.event)
      case 'settle':
        pending.get(effect.key)?.resolve(effect.value)
        return void pending.delete(effect.key)
      case 'fail':
        pending.get(effect.key)?.reject(effect.error)
        return void pending.delete(effect.key)
      case 'reconnect':
        return connection.restart()
      case 'close':
        connection.close()
        clearTimeout(timer)
        events.end()
        return onClosed()
    }
  }

  // An effect may lead to the next input before those after it are done (a listener that sends): one after the other.
  const queue: Input[] = []
  let isBusy = false

  const step = (input: Input): void => {
    queue.push(input)
    if (isBusy) return
    isBusy = true
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        for (const effect of machine.step(next, Date.now())) perform(effect)
      }
    } finally {
      isBusy = false
    }
    clearTimeout(timer)
    const deadline = machine.deadline()
    if (deadline !== undefined)
      timer = setTimeout(() => step({ type: 'tick' }), Math.max(0, deadline - Date.now()))
    for (const watcher of watchers) watcher()
  }

  const ask = <T>(name: string, input: Input): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      // The machine answers each command with what that command is for.
      pending.set(name, { resolve: resolve as Pending['resolve'], reject })
      step(input)
    })

  const connection = createConnection({
    url,
    getTicket,
    WebSocket,
    onOpen: () => step({ type: 'opened' }),
    onText(text) {
      const frame = parse(text)
      if (frame !== undefined) step({ type: 'heard', frame })
    },
    onClose: (code) => step({ type: 'closed', code }),
    onFailure: () => step({ type: 'failed' }),
    onRefusal: (error) => step({ type: 'stop', error }),
  })

  return {
    /** What is known now; the same object until something changes. */
    get view(): RoomView {
      return machine.view()
    },
    /** Called after each change of `view`; answers how to stop it. */
    watch(watcher: () => void): () => void {
      const one = () => watcher()
      watchers.add(one)
      return () => void watchers.delete(one)
    },
    /** Calls back for every event of that type; answers how to stop it. */
    on<Type extends RoomEvent['type']>(
      type: Type,
      listener: (event: Extract<RoomEvent, { type: Type }>) => void,
    ): () => void {
      return events.listen((event) => {
        if (event.type === type) listener(event as Extract<RoomEvent, { type: Type }>)
      })
    },
    /** Every event from now on, until the room is closed. @throws ChatError OVERFLOW */
    [Symbol.asyncIterator]: () => events.iterate(),

    /**
     * Shows the message at once and sends it when it can, after those before it; resolves when it is stored.
     * @throws ChatError: what the room refuses, or that the room was closed
     */
    send(content: string, { attachments }: SendOptions = {}): Promise<Sent> {
      const problem = problemOf(content, attachments)
      if (problem !== undefined) return Promise.reject(new ChatError('INVALID_MESSAGE', problem))
      const clientId = crypto.randomUUID()
      const draft = { content, ...(attachments === undefined ? {} : { attachments }) }
      return ask(clientId, { type: 'send', clientId, draft, at: new Date().toISOString() })
    },
    /** A message that failed, once more. @throws ChatError as `send` */
    retry: (clientId: string): Promise<Sent> =>
      ask(clientId, { type: 'retry', clientId, at: new Date().toISOString() }),
    /** Forgets a message that failed. */
    discard: (clientId: string): void => step({ type: 'discard', clientId }),
    /** Resolves when everyone sees it. @throws ChatError */
    edit(id: string, content: string): Promise<void> {
      const problem = problemOf(content)
      if (problem !== undefined) return Promise.reject(new ChatError('INVALID_MESSAGE', problem))
      return ask(`${(key += 1)}`, {
        type: 'change',
        key: `${key}`,
        frame: { type: 'edit', id: id.toLowerCase(), content },
      })
    },
    /** Resolves when nobody sees it any more. @throws ChatError */
    remove: (id: string): Promise<void> =>
      ask(`${(key += 1)}`, {
        type: 'change',
        key: `${key}`,
        frame: { type: 'remove', id: id.toLowerCase() },
      }),
    /** To be called with each key; says so every two seconds at most, and only when online. */
    typing: (): void => step({ type: 'typing' }),
    /** All that is here, or all up to a seq. Reported at most every 500 ms, also after a reconnect. */
    markRead: (seq?: number): void => step({ type: 'markRead', ...(seq === undefined ? {} : { seq }) }),
    /** Loads older messages; resolves with them, oldest first, empty when there are no more. @throws ChatError */
    history: (limit = 50): Promise<readonly Message[]> =>
      ask(`${(key += 1)}`, {
        type: 'history',
        key: `${key}`,
        limit: Math.min(Math.max(Math.trunc(limit), 1), limits.history),
      }),
    /** The network has changed: tries at once, or looks whether the connection is still good. */
    nudge(): void {
      connection.hurry()
      step({ type: 'probe' })
    },
    /** Ends the connection; messages that are not acknowledged are rejected. Membership is REST's. */
    close: (): void => step({ type: 'stop', error: new ChatError('CLOSED', 'The room was closed') }),
  }
}
