import { type Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type Duplex, pipeline } from 'node:stream'

/** `refused`: nothing was sent. `cut`: it was sent, wholly or in part, and the connection ended without an answer. */
export type Outcome = 'answered' | 'refused' | 'cut'

type Target = { port: number; agent?: Agent; closing: () => boolean; onAnswer: (status: number) => void }

export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

/** Sends a request on and streams its body and its answer; a client that leaves takes the request with it. */
export function forward(req: IncomingMessage, res: ServerResponse, target: Target): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome: Outcome = 'refused'
    const upstream = request({
      ...addressOf(req, target.port),
      headers: [...endToEnd(req.rawHeaders), 'CF-Connecting-IP', clientAddress(req)],
      agent: target.agent ?? false,
    })
    const leave = () => {
      // Of a connection that is merely closed workerd hears when it writes the next time but one. A request that it still
      // reads is not reset: it would be dropped before it could clear away what it had stored.
      if (outcome === 'answered' && !res.writableFinished) upstream.socket?.resetAndDestroy()
      upstream.destroy()
    }
    res.once('close', leave)
    const done = () => {
      res.off('close', leave)
      resolve(outcome)
    }
    // The body is taken from the client only once somebody is there to receive it: so `refused` can be tried again.
    whenConnected(upstream, () => {
      outcome = 'cut'
      if (hasBody(req)) {
        upstream.flushHeaders()
        req.pipe(upstream)
      } else upstream.end()
    })
    upstream.on('response', (answer) => {
      outcome = 'answered'
      const status = answer.statusCode ?? 502
      target.onAnswer(status)
      res.sendDate = false
      const closing = target.closing() ? ['Connection', 'close'] : []
      res.writeHead(status, answer.statusMessage, [...endToEnd(answer.rawHeaders, framing), ...closing])
      res.flushHeaders()
      pipeline(answer, res, done)
    })
    upstream.on('error', () => {}) // 'close' follows
    upstream.on('close', () => {
      if (outcome !== 'answered') done()
    })
  })
}

/** The same for a WebSocket: after the 101, bytes pass both ways until either side ends. */
export function tunnel(req: IncomingMessage, socket: Duplex, head: Buffer, target: Target): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome: Outcome = 'refused'
    const upgrade = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'CF-Connecting-IP', clientAddress(req)]
    const upstream = request({
      ...addressOf(req, target.port),
      headers: [...endToEnd(req.rawHeaders), ...upgrade],
      agent: false,
    })
    const leave = () => upstream.destroy()
    socket.once('close', leave)
    const done = () => {
      socket.off('close', leave)
      resolve(outcome)
    }
    whenConnected(upstream, () => {
      outcome = 'cut'
      upstream.end()
    })
    upstream.on('upgrade', (answer, other, firstBytes) => {
      outcome = 'answered'
      target.onAnswer(101)
      socket.write(statusAndHeaders(answer, ['Connection', 'Upgrade', 'Upgrade', 'websocket']))
      socket.write(firstBytes)
      other.write(head)
      socket.pipe(other).pipe(socket)
      endWith(socket, other)
      endWith(other, socket)
      socket.once('close', done)
    })
    upstream.on('response', (answer) => {
      outcome = 'answered'
      target.onAnswer(answer.statusCode ?? 502)
      socket.write(statusAndHeaders(answer, ['Connection', 'close']))
      pipeline(answer, socket, done)
    })
    upstream.on('error', () => {}) // 'close' follows
    upstream.on('close', () => {
      if (outcome !== 'answered') done()
    })
  })
}

/** When one side is closed, the other ends too: after all that was sent if that was in order, else at once. */
function endWith(one: Duplex, other: Duplex): void {
  one.on('error', () => {}) // 'close' follows
  one.on('close', () => void (one.readableEnded ? other.end().resume() : other.destroy()))
}

function whenConnected(upstream: ReturnType<typeof request>, start: () => void): void {
  upstream.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', start)
    else start()
  })
}

function addressOf(req: IncomingMessage, port: number) {
  return { host: '127.0.0.1', port, method: req.method ?? 'GET', path: req.url ?? '/' }
}

// RFC 9110, section 7.6.1
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'expect']
// An answer is framed anew, as its client's version of HTTP needs it. A request keeps its framing.
const framing = ['transfer-encoding']

/** Header lines as they came, without those that concern one connection only or that only this proxy may set. */
function endToEnd(raw: readonly string[], more: readonly string[] = []): string[] {
  const lines: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) lines.push([raw[i] ?? '', raw[i + 1] ?? ''])
  const named = lines
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) =>
      value
        .toLowerCase()
        .split(',')
        .map((one) => one.trim()),
    )
  const dropped = new Set([...hopByHop, ...named, ...more, 'cf-connecting-ip'])
  return lines.filter(([name]) => !dropped.has(name.toLowerCase())).flat()
}

function clientAddress(req: IncomingMessage): string {
  return (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

function statusAndHeaders(answer: IncomingMessage, more: readonly string[]): string {
  const all = [...endToEnd(answer.rawHeaders, framing), ...more]
  const lines = all.flatMap((name, i) => (i % 2 === 0 ? `${name}: ${all[i + 1] ?? ''}\r\n` : []))
  return `HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}\r\n${lines.join('')}\r\n`
}
