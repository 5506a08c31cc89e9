import { createServer } from 'node:http'
import { listen, settleWithin } from '../neon/listen.ts'
import { isRefusal, Unreachable, type RedisEngine, type Reply, type Refusal } from './engine.ts'
import { BadRequest, parseRequest, replyBody, type RestRequest } from './protocol.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Upstash's limit for one request. */
const BODY_LIMIT = 10 * 1024 * 1024
const METHODS = new Set(['HEAD', 'GET', 'POST', 'PUT'])
const LOCAL_HOSTS = new Set(['127.0.0.1', 'localhost'])

type Options = {
  engine: RedisEngine
  token: string
  log: (line: string) => void
  bodyLimit?: number
  drainMs?: number
}

/** Reads to the end whatever the size, so that the client, done with sending, reads the answer. */
const readBody = async (request: IncomingMessage, limit: number) => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= limit) chunks.push(chunk)
  }
  if (size <= limit) return Buffer.concat(chunks)
  throw new BadRequest(`ERR max request size exceeded. Limit: ${limit} bytes, Actual: ${size} bytes`)
}

const hostName = (request: IncomingMessage) => (request.headers.host ?? '').replace(/:\d+$/, '')

const urlOf = ({ url = '/' }: IncomingMessage) => {
  const parsed = URL.parse(`http://127.0.0.1${url}`)
  if (!parsed) throw new BadRequest('ERR the path is not valid')
  return parsed
}

const tokenOf = (request: IncomingMessage, url: URL) =>
  url.searchParams.get('_token') ?? /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]

const execute = (engine: RedisEngine, { kind, commands }: RestRequest): Promise<Reply[] | Refusal> =>
  kind === 'transaction' ? engine.transact(commands) : engine.run(commands)

/** Upstash's REST API over an engine, on 127.0.0.1 and a free port. */
export const startEndpoint = async (options: Options) => {
  const { engine, token, log, bodyLimit = BODY_LIMIT, drainMs = 2_000 } = options
  let closing = false

  const reply = (response: ServerResponse, status: number, body?: unknown) => {
    if (response.destroyed || response.headersSent) return
    if (closing) response.setHeader('connection', 'close')
    // The SDK sends back what it got here, so that a replica can wait for its writes; there is none.
    response.writeHead(status, { 'content-type': 'application/json', 'upstash-sync-token': '0' })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }

  const fail = (response: ServerResponse, error: unknown) => {
    if (response.destroyed) return
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof BadRequest) return reply(response, 400, { error: message })
    if (!(error instanceof Unreachable)) log(`redis: ${message}`)
    reply(response, 503, { error: `ERR Redis cannot be reached: ${message}` })
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    // A page in a browser could reach this port through a name it rebinds to 127.0.0.1.
    if (!LOCAL_HOSTS.has(hostName(request))) return reply(response, 403, { error: 'local clients only' })
    if (!METHODS.has(request.method ?? '')) return reply(response, 405)
    try {
      const url = urlOf(request)
      if (tokenOf(request, url) !== token) {
        return reply(response, 401, { error: 'WRONGPASS invalid or missing auth token' })
      }
      const parsed = parseRequest(url, request.headers, await readBody(request, bodyLimit))
      const outcome = await execute(engine, parsed)
      if (isRefusal(outcome)) return reply(response, 400, outcome)
      const bodies = outcome.map((each) => replyBody(each, parsed.base64))
      if (parsed.kind !== 'command') return reply(response, 200, bodies)
      reply(response, isRefusal(outcome[0]) ? 400 : 200, bodies[0])
    } catch (error) {
      fail(response, error)
    }
  }

  // A keep-alive connection that the server ends first makes a client's next request fail: never end it.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    void answer(request, response)
  })
  const port = await listen(server)

  return {
    url: `http://127.0.0.1:${port}`,
    /** Lets requests in flight end for `drainMs`, then drops them. */
    close: async () => {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if (!(await settleWithin(closed, drainMs))) server.closeAllConnections()
      await closed
    },
  }
}
