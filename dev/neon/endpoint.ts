import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { BadRequest, databaseErrorBody, parseRequest, successBody } from './protocol.ts'
import { listen, settleWithin } from './listen.ts'
import type { SqlEngine } from './engine.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'

const BODY_LIMIT = 64 * 1024 * 1024
const LOCAL_HOSTS = new Set(['127.0.0.1', 'localhost'])

type Options = {
  engine: SqlEngine
  log: (line: string) => void
  /** Told of each call. */
  onCall?: () => void
  bodyLimit?: number
  drainMs?: number
}

class TooLarge extends Error {}

const readBody = async (request: IncomingMessage, limit: number) => {
  const bounded = async function* () {
    let size = 0
    // Not destroyed when the bound is passed: the answer goes out on the same connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length
      if (size > limit) throw new TooLarge(`the body is larger than ${limit} bytes`)
      yield chunk as Buffer
    }
  }
  return text(bounded())
}

const hostName = (request: IncomingMessage) => (request.headers.host ?? '').replace(/:\d+$/, '')

/** Neon's `POST /sql` over an engine, on 127.0.0.1 and a free port. */
export const startEndpoint = async ({
  engine,
  log,
  onCall = () => {},
  bodyLimit = BODY_LIMIT,
  drainMs = 2_000,
}: Options) => {
  let closing = false

  const reply = (response: ServerResponse, status: number, body: unknown) => {
    if (response.destroyed || response.headersSent) return
    if (closing) response.setHeader('connection', 'close')
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  const fail = (response: ServerResponse, error: unknown, signal: AbortSignal) => {
    if (signal.aborted) return
    const body = databaseErrorBody(error)
    const message = error instanceof Error ? error.message : String(error)
    if (body) return reply(response, 400, body)
    if (error instanceof BadRequest) return reply(response, 400, { message })
    if (error instanceof TooLarge) {
      response.setHeader('connection', 'close')
      response.req.resume()
      return reply(response, 413, { message })
    }
    log(`database: ${message || 'connection failed'}`)
    reply(response, 503, { message: message || 'connection failed' })
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    // A page in a browser could reach this port through a name it rebinds to 127.0.0.1.
    if (!LOCAL_HOSTS.has(hostName(request))) return reply(response, 403, { message: 'local clients only' })
    if (request.url !== '/sql') return reply(response, 404, { message: 'only POST /sql is here' })
    if (request.method !== 'POST') return reply(response, 405, { message: 'only POST /sql is here' })
    onCall()
    const gone = new AbortController()
    response.once('close', () => response.writableFinished || gone.abort())
    try {
      const parsed = parseRequest(request.headers, await readBody(request, bodyLimit))
      reply(response, 200, successBody(parsed, await engine.run(parsed, gone.signal)))
    } catch (error) {
      fail(response, error, gone.signal)
    }
  }

  // A keep-alive connection that the server ends first makes a client's next request fail: never end it.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    void answer(request, response)
  })
  const port = await listen(server)

  return {
    url: `http://127.0.0.1:${port}/sql`,
    /** Lets requests in flight end for `drainMs`, then drops them. */
    close: async () => {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if (!(await settleWithin(closed, drainMs))) server.closeAllConnections()
      await closed
    },
  }
}
