import { ChatError } from './chat-error.ts'

/** Events that an iterator keeps for a consumer that is busy. */
const maxBuffered = 10_000

type Waiting<T> = { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: Error) => void }

/** Hands every event to all listeners and iterators of the moment, in order. */
export const createEvents = <Event extends { type: string }>() => {
  const listeners = new Set<(event: Event) => void>()
  const endings = new Set<() => void>()
  let isOver = false

  const listen = (listener: (event: Event) => void): (() => void) => {
    const one = (event: Event) => listener(event)
    listeners.add(one)
    return () => void listeners.delete(one)
  }

  /** From now on; ends with the room. @throws ChatError OVERFLOW, rather than leave a gap */
  const iterate = (): AsyncIterableIterator<Event, undefined> => {
    let buffer: Event[] = []
    let waiting: Waiting<Event>[] = []
    let overflow: ChatError | undefined
    let done = isOver
    const end = () => {
      done = true
      stop()
      endings.delete(end)
      for (const { resolve } of waiting) resolve({ done: true, value: undefined })
      waiting = []
    }
    const stop = listen((event) => {
      const next = waiting.shift()
      if (next !== undefined) return next.resolve({ done: false, value: event })
      buffer.push(event)
      if (buffer.length <= maxBuffered) return
      overflow = new ChatError('OVERFLOW', `More than ${maxBuffered} events wait to be read`)
      buffer = []
      end()
    })
    endings.add(end)
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      next() {
        const event = buffer.shift()
        if (event !== undefined) return Promise.resolve({ done: false, value: event })
        if (overflow !== undefined) return Promise.reject(overflow)
        if (done) return Promise.resolve({ done: true, value: undefined })
        return new Promise((resolve, reject) => {
          waiting.push({ resolve, reject })
        })
      },
      return() {
        buffer = []
        end()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  return {
    listen,
    iterate,
    /** An error of a listener is its own: it neither stops the others nor the room. */
    emit(event: Event): void {
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          reportLater(error)
        }
      }
    },
    end(): void {
      isOver = true
      for (const end of endings) end()
    },
  }
}

/** As if nobody had called it: to `window.onerror`, or the end of a process that handles nothing. */
const reportLater = (error: unknown) =>
  queueMicrotask(() => {
    throw error
  })
