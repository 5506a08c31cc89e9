import { createBreaker } from '../shared/breaker.ts'
import { LaterError } from '../shared/later-error.ts'
import { within } from '../shared/within.ts'
import { endOfStream, framesOf, instream, ping, pong, verdictOf, type Verdict } from './clamd.ts'

/** Milliseconds. */
type Patience = {
  /** Until the connection stands. */
  connect: number
  /** For which the scanner may take nothing of what is sent. */
  send: number
  /** Until it answers once it has everything; its own MaxScanTime ends before. */
  answer: number
  /** For the answer of one that hangs up while it is sent something. */
  excuse: number
}

const usual: Patience = { connect: 5_000, send: 30_000, answer: 150_000, excuse: 1_000 }

/** Bytes; clamd's answers have one line. */
const maxAnswer = 4_096

type Connection = {
  opened: Promise<unknown>
  readable: ReadableStream<Uint8Array>
  writable: WritableStream<Uint8Array>
  close: () => Promise<void>
}

type Options = { secureTransport: 'on' | 'off'; allowHalfOpen: boolean }

/** How a connection is made: `connect` of cloudflare:sockets, or of a binding that leads into a private network. */
export type Dial = (address: { hostname: string; port: number }, options: Options) => Connection

type Settings = {
  /** `tcp://host:port` or `tls://host:port`. */
  url: string
  /** A private way to the host. Without one, over the internet. */
  network?: { connect: Dial } | undefined
  patience?: Partial<Patience>
}

/** Content of a known length, in bytes. */
type Content = { body: ReadableStream<Uint8Array>; size: number }

export type Scanner = {
  /**
   * Never holds more than a chunk of the content.
   * @throws LaterError when the scanner is away, breaks off or is silent; any other error when it gives no verdict, or
   * when the content cannot be read
   */
  scan: (content: Content, signal: AbortSignal) => Promise<Verdict>
}

const away = (what: string, cause: unknown): LaterError => new LaterError(`The scanner ${what}`, { cause })

// Only here, so that the rest of the Worker loads in plain Node too.
const overInternet = async (): Promise<Dial> => (await import('cloudflare:sockets')).connect

const hangUp = (connection: Connection | undefined): void => void connection?.close().catch(() => undefined)

const readAnswer = async (readable: ReadableStream<Uint8Array>): Promise<string> => {
  let answer = ''
  const decoder = new TextDecoder()
  for await (const chunk of readable) {
    answer += decoder.decode(chunk, { stream: true })
    const end = answer.indexOf('\0')
    if (end >= 0) return answer.slice(0, end)
    if (answer.length > maxAnswer) break
  }
  throw new Error(answer === '' ? 'It hung up without an answer' : 'Its answer has no end')
}

/** clamd's INSTREAM over TCP (clamd(8)). */
export const createScanner = ({ url, network, patience }: Settings): Scanner => {
  const { protocol, hostname, port } = new URL(url)
  const address = { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  const secureTransport = protocol === 'tls:' ? 'on' : 'off'
  const wait = { ...usual, ...patience }

  /** Undefined: all of it was sent. Otherwise why the scanner did not take it. @throws what the content throws */
  const send = async ({ body, size }: Content, writable: Connection['writable']): Promise<unknown> => {
    const writer = writable.getWriter()
    let sent = 0
    const write = async (bytes: Uint8Array): Promise<void> => await within(wait.send, writer.write(bytes))
    const reader = body.getReader()
    try {
      await write(instream)
    } catch (problem) {
      await reader.cancel().catch(() => undefined)
      return problem
    }
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      sent += value.length
      try {
        for (const frame of framesOf(value)) await write(frame)
      } catch (problem) {
        await reader.cancel().catch(() => undefined)
        return problem
      }
    }
    // Half a file that is found clean would pass for the whole.
    if (sent !== size) throw new Error(`The file has ${sent} bytes in place of ${size}`)
    return await write(endOfStream).then(
      () => undefined,
      (problem: unknown) => problem,
    )
  }

  // A batch of files would wait for a silent scanner one after the other, for longer than the batch may take.
  const breaker = createBreaker({ failures: 2, rest: 30_000 })

  const connect = async (): Promise<Connection> => {
    const dial = network ? network.connect.bind(network) : await overInternet()
    const connection = dial(address, { secureTransport, allowHalfOpen: false })
    try {
      await within(wait.connect, connection.opened)
      return connection
    } catch (error) {
      hangUp(connection)
      throw error
    }
  }

  const isAlive = async (): Promise<boolean> => {
    let connection: Connection | undefined
    try {
      connection = await connect()
      const answer = readAnswer(connection.readable)
      answer.catch(() => undefined)
      await within(wait.connect, connection.writable.getWriter().write(ping))
      return (await within(wait.connect, answer)) === pong
    } catch {
      return false
    } finally {
      hangUp(connection)
    }
  }

  const converse = async (content: Content, { readable, writable }: Connection): Promise<string> => {
    const answer = readAnswer(readable)
    answer.catch(() => undefined)
    const problem = await send(content, writable)
    if (problem === undefined) {
      return await within(wait.answer, answer).catch((cause: unknown) => {
        throw away('gave no answer', cause)
      })
    }
    // One that has enough says so and hangs up; but its words are lost when the connection is reset under them.
    return await within(wait.excuse, answer).catch(async () => {
      if (!(await isAlive())) throw away('broke off', problem)
      throw new Error('The scanner broke off and is well: the file may be beyond a limit of the scanner', {
        cause: problem,
      })
    })
  }

  const ask = async (content: Content, signal: AbortSignal): Promise<Verdict> => {
    const connection = await connect().catch(async (cause: unknown) => {
      await content.body.cancel().catch(() => undefined)
      throw away('cannot be reached', cause)
    })
    const onAbort = () => hangUp(connection)
    signal.addEventListener('abort', onAbort)
    try {
      return verdictOf(await converse(content, connection))
    } finally {
      signal.removeEventListener('abort', onAbort)
      hangUp(connection)
    }
  }

  return {
    async scan(content, signal) {
      signal.throwIfAborted()
      if (!breaker.allows(Date.now())) {
        await content.body.cancel().catch(() => undefined)
        throw new LaterError('The scanner was away just now')
      }
      try {
        const verdict = await ask(content, signal)
        breaker.succeeded()
        return verdict
      } catch (error) {
        if (error instanceof LaterError) breaker.failed(Date.now())
        throw error
      }
    },
  }
}
