import { once } from 'node:events'
import {
  Agent,
  createServer,
  get,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Proxy, startProxy } from './proxy.ts'

type Handler = (req: IncomingMessage, res: ServerResponse) => void

let proxy: Proxy
let handler: Handler
let arrived: number
const servers: Server[] = []
beforeEach(async () => {
  arrived = 0
  proxy = await startProxy({ port: 0, holdMs: 1_000 })
})
afterEach(() => {
  proxy.close()
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

async function startUpstream(port = 0): Promise<{ port: number; server: Server }> {
  const server = createServer((req, res) => {
    arrived++
    handler(req, res)
  }).listen(port, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

async function openTo(answer: Handler) {
  handler = answer
  const upstream = await startUpstream()
  proxy.open(upstream.port)
  return upstream
}

const url = (path = '/') => `http://127.0.0.1:${proxy.port}${path}`
/** A request that has been sent may still be on its way. */
const untilArrived = (count: number) => vi.waitFor(() => expect(arrived).toBe(count), { timeout: 10_000 })
const post = () => request(url(), { method: 'POST' })
const answerTo = async (req: ReturnType<typeof post>) => (await once(req, 'response'))[0] as IncomingMessage

describe('a request', () => {
  it('arrives as it was sent: method, path, host, repeated and odd headers, body', async () => {
    await openTo((req, res) => {
      req.on('data', () => {}).on('end', () => res.end(JSON.stringify([req.method, req.url, req.rawHeaders])))
    })
    const headers = [
      'Host',
      'shop.test:99',
      'X-Odd',
      'a',
      'x-odd',
      'b',
      'Connection',
      'close, X-Hop',
      'X-Hop',
      '1',
    ]
    const req = request({
      port: proxy.port,
      method: 'PUT',
      path: '/a%20b?c=%2F&d',
      headers: [...headers, 'Content-Length', '2'],
    })
    req.end('hi')
    const [method, path, raw] = JSON.parse(await text(await answerTo(req))) as [string, string, string[]]
    expect([method, path]).toEqual(['PUT', '/a%20b?c=%2F&d'])
    expect(raw.join(' ')).toContain(
      'Host shop.test:99 X-Odd a x-odd b Content-Length 2 CF-Connecting-IP 127.0.0.1',
    )
    expect(raw).not.toContain('X-Hop')
  })

  it('tells the address of its socket, whatever the client claims', async () => {
    await openTo((req, res) =>
      res.end(JSON.stringify([req.headers['cf-connecting-ip'], req.headers['x-forwarded-for']])),
    )
    const answer = await fetch(url(), {
      headers: { 'cf-connecting-ip': '9.9.9.9', 'x-forwarded-for': '8.8.8.8' },
    })
    expect(await answer.json()).toEqual(['127.0.0.1', '8.8.8.8'])
  })

  it('gets its answer as it was given: status, reason, repeated headers, no body for HEAD, 204 and 304', async () => {
    await openTo((req, res) => {
      res.sendDate = false
      if (req.url !== '/') return void res.writeHead(Number(req.url?.slice(1))).end()
      res.writeHead(418, 'Short and stout', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', '3'])
      res.end('tea')
    })
    const answer = await answerTo(get(url()))
    expect([answer.statusCode, answer.statusMessage, answer.headers['set-cookie']]).toEqual([
      418,
      'Short and stout',
      ['a=1', 'b=2'],
    ])
    expect(answer.headers).not.toHaveProperty('date')
    expect(await text(answer)).toBe('tea')
    expect((await fetch(url(), { method: 'HEAD' })).headers.get('content-length')).toBe('3')
    for (const status of [204, 304]) expect((await fetch(url(`/${status}`))).status).toBe(status)
  })

  it('streams its body and its answer, a piece at a time, each way', async () => {
    await openTo((req, res) => {
      res.writeHead(200)
      req.on('data', (piece) => res.write(`<${piece}>`)).on('end', () => res.end('.'))
    })
    const req = post()
    req.write('1')
    const answer = await answerTo(req)
    const pieces = answer[Symbol.asyncIterator]()
    expect(String((await pieces.next()).value)).toBe('<1>')
    req.write('2')
    expect(String((await pieces.next()).value)).toBe('<2>')
    req.end()
    expect(String((await pieces.next()).value)).toBe('.')
  })

  it('stops the upload while nobody reads it', async () => {
    let upload: IncomingMessage | undefined
    await openTo((req) => {
      upload = req // and does not read it
    })
    const req = post()
    let sent = 0
    while (
      req.write(Buffer.alloc(65_536)) ||
      (await Promise.race([once(req, 'drain'), sleep(300, 'full')])) !== 'full'
    )
      sent++
    expect(sent * 65_536).toBeLessThan(32 * 2 ** 20)
    upload?.destroy()
    await once(req, 'error')
  })

  it('takes the connection of the one before, when that can be repeated', async () => {
    const ports: (number | undefined)[] = []
    await openTo((req, res) => {
      ports.push(req.socket.remotePort)
      res.end('x'.repeat(100_000))
    })
    for (let n = 0; n < 3; n++) await (await fetch(url())).text()
    expect(new Set(ports).size).toBe(1)
  })

  it('ends at the runtime when the client leaves, before the answer, and amid it by a reset', async () => {
    const left = vi.fn()
    await openTo((req, res) => {
      let how = 'closed'
      req.socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => (how = code))
      req.socket.once('close', () => left(how))
      if (req.url === '/amid') res.write('begun')
    })
    for (const path of ['/before', '/amid']) {
      const req = get(url(path)).on('error', () => {})
      if (path === '/amid') await answerTo(req)
      else await untilArrived(1)
      req.destroy()
      const how = path === '/amid' ? 'ECONNRESET' : 'closed'
      await vi.waitFor(() => expect(left.mock.calls).toEqual([[how]]))
      left.mockClear()
    }
  })
})

describe('while the runtime is away', () => {
  it('requests wait and are served once it is back', async () => {
    const answers = [fetch(url()), fetch(url(), { method: 'POST', body: 'x'.repeat(100_000) })]
    await sleep(100)
    await openTo((req, res) => void req.resume().on('end', () => res.end('late')))
    expect(await Promise.all(answers.map(async (one) => (await one).text()))).toEqual(['late', 'late'])
  })

  it('also those that find the port closed before anybody noticed', async () => {
    const { port, server } = await openTo((req, res) => void req.resume().on('end', () => res.end('back')))
    server.close().closeAllConnections()
    const answer = fetch(url(), { method: 'POST', body: 'x'.repeat(100_000) })
    await sleep(250)
    await startUpstream(port)
    expect(await (await answer).text()).toBe('back')
  })

  it('but not for ever: 503 with Retry-After', async () => {
    const answer = await fetch(url(), { headers: { 'x-request-id': 'abc' } })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await answer.json()).toMatchObject({ error: { code: 'UNAVAILABLE', requestId: 'abc' } })
  })

  it('a client that leaves is not served later', async () => {
    const seen = vi.fn()
    const leaving = fetch(url(), { signal: AbortSignal.timeout(50) })
    await expect(leaving).rejects.toThrow()
    await sleep(50)
    await openTo((_req, res) => {
      seen()
      res.end()
    })
    await sleep(100)
    expect(seen).not.toHaveBeenCalled()
  })
})

describe('when the runtime dies amid a request', () => {
  it('a GET is sent again, a few times at most', async () => {
    let deaths = 1
    await openTo((req, res) => (deaths-- > 0 ? req.socket.destroy() : res.end('again')))
    expect(await (await fetch(url())).text()).toBe('again')
    deaths = 9
    expect((await fetch(url())).status).toBe(502)
    expect(deaths).toBe(4)
  })

  it('a POST is not: it may have taken effect', async () => {
    const seen = vi.fn()
    await openTo((req) => {
      seen()
      req.on('data', () => req.socket.destroy())
    })
    const answer = await fetch(url(), { method: 'POST', body: 'x' })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([502, null])
    expect(seen).toHaveBeenCalledOnce()
  })

  it('an answer that had begun is broken off, not passed for whole', async () => {
    await openTo((_req, res) => {
      res.write('half')
      setTimeout(() => res.destroy(), 50)
    })
    const answer = await fetch(url())
    await expect(answer.text()).rejects.toThrow()
  })
})

describe('draining', () => {
  it('answers what is in flight, takes no new connection, and says when all is done', async () => {
    await openTo((_req, res) => void setTimeout(() => res.end('done'), 300))
    const slow = Array.from({ length: 20 }, () => fetch(url()).then((answer) => answer.text()))
    await untilArrived(20)
    const drained = proxy.drain(5_000)
    await sleep(50)
    await expect(fetch(url())).rejects.toThrow()
    expect(await drained).toBe(true)
    expect(await Promise.all(slow)).toEqual(Array.from({ length: 20 }, () => 'done'))
  })

  it('serves a request on a connection that is open, and closes that connection', async () => {
    await openTo((req, res) => void setTimeout(() => res.end(), req.url === '/slow' ? 400 : 0))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await text(await answerTo(get(url(), { agent })))
    const slow = fetch(url('/slow'))
    await untilArrived(2)
    const drained = proxy.drain(5_000)
    const answer = await answerTo(get(url(), { agent }))
    expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close'])
    await text(answer)
    expect(await drained).toBe(true)
    expect((await slow).status).toBe(200)
  })

  it('gives up at its limit, or at once when told to hurry', async () => {
    await openTo(() => {})
    fetch(url()).catch(() => {})
    await untilArrived(1)
    expect(await proxy.drain(100)).toBe(false)
    expect(await proxy.drain(60_000, AbortSignal.timeout(50))).toBe(false)
  })

  it('does not wait for a runtime that is away', async () => {
    const waiting = fetch(url())
    await sleep(50)
    expect(await proxy.drain(5_000)).toBe(true)
    expect((await waiting).status).toBe(503)
  })
})

describe('a WebSocket', () => {
  /** Bytes for frames: the proxy looks into neither. */
  async function serveEcho() {
    const { server } = await openTo((_req, res) => void res.writeHead(401).end('no ticket'))
    const sockets: Duplex[] = []
    server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      sockets.push(socket.on('error', () => {}))
      const protocol = `Sec-WebSocket-Protocol: ${req.headers['sec-websocket-protocol']}`
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${protocol}\r\n\r\n`,
      )
      socket.write(`from ${String(req.headers['cf-connecting-ip'])};${head.toString()}`)
      socket.pipe(socket)
    })
    return { server, sockets }
  }
  const connect = () =>
    get(url('/ws'), {
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'chat' },
    })
  const open = async () => (await once(connect(), 'upgrade')) as [IncomingMessage, Socket, Buffer]

  it('passes both ways, with its protocol, from the first byte to the last', async () => {
    const { sockets } = await serveEcho()
    const [answer, socket, head] = await open()
    expect([answer.statusCode, answer.headers['sec-websocket-protocol']]).toEqual([101, 'chat'])
    let said = String(head)
    socket.on('data', (piece) => (said += String(piece)))
    socket.write('hello')
    await vi.waitFor(() => expect(said).toBe('from 127.0.0.1;hello'))
    sockets[0]?.end('bye')
    await once(socket, 'close')
    expect(said).toBe('from 127.0.0.1;hellobye')
  })

  it('that is refused gets the answer', async () => {
    const { server } = await serveEcho()
    server.removeAllListeners('upgrade')
    const answer = await answerTo(connect())
    expect([answer.statusCode, await text(answer)]).toEqual([401, 'no ticket'])
  })

  it('ends on the far side when it vanishes on the near one, and the other way round', async () => {
    const { sockets } = await serveEcho()
    const [, near] = await open()
    near.destroy()
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true))
    const [, staying] = await open()
    sockets[1]?.destroy()
    staying.resume()
    await once(staying, 'close')
  })

  it('waits for a runtime that is away', async () => {
    const upgraded = open()
    await sleep(100)
    await serveEcho()
    expect((await upgraded)[0].statusCode).toBe(101)
  })
})

it('a used port is one clear sentence', async () => {
  await expect(startProxy({ port: proxy.port })).rejects.toThrow(
    `Port ${proxy.port} is in use: stop what listens there, or set PORT.`,
  )
})

async function text(answer: IncomingMessage): Promise<string> {
  let all = ''
  for await (const piece of answer) all += String(piece)
  return all
}
