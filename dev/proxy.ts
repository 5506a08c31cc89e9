import { randomUUID } from 'node:crypto'
import { Agent, createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { forward, hasBody, type Outcome, tunnel } from './forward.ts'
import { createGate } from './gate.ts'

export type Proxy = Awaited<ReturnType<typeof startProxy>>

type ProxyOptions = {
  port: number
  /** How long a request waits for a runtime that restarts, before it is answered with 503. */
  holdMs?: number
  onAnswer?: (status: number) => void
}

/** Enough for a runtime that dies while it starts, and an end for a request that kills it every time. */
const maxReplays = 4

/** A thousand at once would leave the runtime no time to say that it lives: what is more waits here for its turn. */
const maxSockets = 256

/**
 * The public port: passes every request on to the runtime behind `open(port)`, nothing buffered. It outlives the
 * runtime: between `hold()` and the next `open()` requests wait, and those that are safe to repeat are repeated.
 */
export async function startProxy({ port, holdMs = 20_000, onAnswer = () => {} }: ProxyOptions) {
  const gate = createGate()
  // Kept connections are for requests that can be repeated: the runtime may close one as it is taken up.
  const kept = new Agent({ keepAlive: true, maxSockets })
  const single = new Agent({ keepAlive: false, maxSockets })
  const inFlight = new Set<ServerResponse>()
  const tunnels = new Set<Duplex>()
  let draining = false

  const server = createServer({
    requestTimeout: 0, // an upload may take as long as it takes
    shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket',
  })
  server.on('request', (req, res) => {
    inFlight.add(res)
    res.once('close', () => inFlight.delete(res))
    const safe = ['GET', 'HEAD', 'OPTIONS'].includes(req.method ?? '') && !hasBody(req)
    const send = (to: number) =>
      forward(req, res, { port: to, agent: safe ? kept : single, closing: () => draining, onAnswer })
    deliver(send, res, safe, (status, text) => refuse(req, res, status, text)).catch(() => res.destroy())
  })
  server.on('upgrade', (req, socket, head) => {
    tunnels.add(socket)
    socket.once('close', () => tunnels.delete(socket)).on('error', () => socket.destroy())
    const send = (to: number) => tunnel(req, socket, head, { port: to, closing: () => draining, onAnswer })
    deliver(send, socket, true, (status) => {
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      )
    }).catch(() => socket.destroy())
  })

  /** Sends until it is answered, for as long as that is right; the client's departure ends it. */
  async function deliver(
    send: (port: number) => Promise<Outcome>,
    client: ServerResponse | Duplex,
    safe: boolean,
    giveUp: (status: 502 | 503, text: string) => void,
  ): Promise<void> {
    const gone = new AbortController()
    client.once('close', () => gone.abort())
    const deadline = performance.now() + holdMs
    for (let cuts = 0; ;) {
      const to = await gate.pass(deadline - performance.now(), gone.signal)
      const outcome = to === undefined ? 'unavailable' : await send(to)
      if (gone.signal.aborted || outcome === 'answered') return
      if (outcome === 'cut' && (!safe || ++cuts > maxReplays)) {
        return giveUp(
          502,
          'The runtime ended while it worked on this request; whether it took effect is not known.',
        )
      }
      if (outcome === 'unavailable' || performance.now() > deadline) {
        return giveUp(503, 'The runtime is away for the moment. Try again shortly.')
      }
      await sleep(100)
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = error.code === 'EADDRINUSE'
      reject(inUse ? new Error(`Port ${port} is in use: stop what listens there, or set PORT.`) : error)
    })
    server.listen(port, '127.0.0.1', () => resolve())
  })
  const address = server.address()

  return {
    port: typeof address === 'object' && address ? address.port : port,
    open: (to: number) => gate.open(to),
    hold: () => gate.hold(),
    /** Takes no new connection and waits for the requests in flight; false if some were left at the end. */
    async drain(withinMs: number, hurry?: AbortSignal): Promise<boolean> {
      draining = true
      gate.close()
      // http's own close() also cuts idle connections, on which a request may be arriving just now.
      TcpServer.prototype.close.call(server)
      const deadline = performance.now() + withinMs
      for (let quiet = 0; quiet < 3; quiet = inFlight.size === 0 ? quiet + 1 : 0) {
        if (hurry?.aborted || performance.now() > deadline) break
        await sleep(50)
      }
      return inFlight.size === 0
    },
    close(): void {
      for (const socket of tunnels) socket.destroy()
      server.close()
      server.closeAllConnections()
      kept.destroy()
      single.destroy()
    },
  }
}

function refuse(req: IncomingMessage, res: ServerResponse, status: 502 | 503, message: string): void {
  const requestId = [req.headers['x-request-id']].flat()[0] ?? randomUUID()
  req.resume() // what is left of the body goes nowhere
  const headers = { 'Content-Type': 'application/json', Connection: 'close', 'X-Request-Id': requestId }
  res.writeHead(status, status === 503 ? { ...headers, 'Retry-After': '2' } : headers)
  res.end(JSON.stringify({ error: { code: 'UNAVAILABLE', message, requestId } }))
}
