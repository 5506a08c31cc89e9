import { Agent, createServer, request, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from '../../dev/neon/listen.ts'

type Recorded = { headers: IncomingHttpHeaders; body: string }

/**
 * A server that stands `milliseconds` of round trip away: it passes HTTP requests on after that time and the replies
 * at once. Connections are kept, as workerd keeps them, so that no handshake is added; it also remembers the last request.
 */
export const startDistance = async (target: string, milliseconds: number) => {
  const agent = new Agent({ keepAlive: true })
  let last: Recorded | undefined

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (from, to) => {
    const pass = async () => {
      const body = await buffer(from)
      last = { headers: from.headers, body: body.toString() }
      if (milliseconds > 0) await sleep(milliseconds)
      request(target, { method: from.method, headers: from.headers, agent }, (reply) => {
        to.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(to)
      })
        .on('error', () => to.destroy())
        .end(body)
    }
    pass().catch(() => to.destroy())
  })
  const port = await listen(server)
  return { url: `http://127.0.0.1:${port}/sql`, last: () => last }
}
