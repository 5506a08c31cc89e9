import ReconnectingSocket from 'partysocket/ws'
import { ChatError } from './chat-error.ts'
import { closeCodes, subprotocol, ticketPrefix } from './protocol-values.ts'

/** Milliseconds. */
const base = 500
const cap = 10_000
const connectTimeout = 10_000
const ticketTimeout = 15_000
/** A connection that lasted as long has made up for the failures before it. */
const goodUptime = 5_000
/** The least that a room wants of whom it threw out for a flood. */
const floodPause = 5_000

/** Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015). `attempt` counts from 0. */
const backoff = (attempt: number): number => Math.random() * Math.min(cap, base * 2 ** attempt)

type Options = {
  url: string
  getTicket: () => Promise<string>
  WebSocket?: unknown
  onOpen: () => void
  onText: (text: string) => void
  onClose: (code: number) => void
  /** An attempt without a socket came to nothing; another follows. */
  onFailure: () => void
  /** No ticket will ever be had: no attempt follows. */
  onRefusal: (error: ChatError) => void
}

/** What `getTicket` may throw, as the REST client does. */
type Failure = { status?: unknown; retryAfter?: unknown }

const isFinal = ({ status }: Failure): boolean => status === 401 || status === 403 || status === 404

const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No ticket within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A socket that comes back: partysocket makes one after the other, each with a ticket of its own; when to is decided here,
 * because its waits have no jitter, and before the ticket is asked for, because that lives for seconds.
 */
export const createConnection = (options: Options) => {
  let attempt = 0
  let notBefore = 0
  let openedAt = 0
  let isOver = false
  let wake = () => {}

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const refuse = (cause: unknown) => {
    close()
    options.onRefusal(new ChatError('TICKET_REFUSED', 'No ticket for this conversation', cause))
  }

  /** partysocket asks for these before each attempt. */
  const protocols = async (): Promise<string[]> => {
    if (attempt > 0) await pause(Math.max(backoff(attempt - 1), notBefore - Date.now()))
    attempt += 1
    try {
      if (isOver) throw new Error('closed')
      return [subprotocol, ticketPrefix + (await within(ticketTimeout, options.getTicket()))]
    } catch (error) {
      if (isOver) throw new Error('closed', { cause: error })
      const failure: Failure = typeof error === 'object' && error !== null ? error : {}
      if (isFinal(failure)) refuse(error)
      else {
        if (typeof failure.retryAfter === 'number') notBefore = Date.now() + failure.retryAfter
        options.onFailure()
      }
      throw error instanceof Error ? error : new Error(String(error))
    }
  }

  const socket = new ReconnectingSocket(options.url, protocols, {
    WebSocket: options.WebSocket,
    connectionTimeout: connectTimeout,
    minReconnectionDelay: 0,
    maxReconnectionDelay: 0,
    // What is not sent at once is sent again by the outbox, after `resume`.
    maxEnqueuedMessages: 0,
    shouldReconnectOnClose: () => !isOver,
  })
  // Properties, not listeners: those get clones, and of a clone of a close event the code is wrong.
  socket.onopen = () => {
    openedAt = Date.now()
    options.onOpen()
  }
  socket.onmessage = ({ data }: { data: unknown }) => {
    if (typeof data === 'string') options.onText(data)
  }
  socket.onclose = ({ code }) => {
    if (openedAt > 0 && Date.now() - openedAt >= goodUptime) attempt = 1
    openedAt = 0
    if (code === closeCodes.flood) notBefore = Date.now() + floodPause
    if (code === closeCodes.protocol) attempt = Math.max(attempt, 5)
    if (!isOver) options.onClose(code)
  }

  const close = () => {
    isOver = true
    socket.close()
    wake()
  }

  return {
    send: (text: string): void => void socket.send(text),
    /** This one is no good. */
    restart: (): void => socket.reconnect(),
    /** Now rather than after the wait. */
    hurry: (): void => wake(),
    close,
  }
}
