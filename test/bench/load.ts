import { openConnection } from './connection.ts'

export type Call = {
  method: string
  path: string
  token?: string
  /** What a browser adds for a page of another origin. */
  origin?: string
  idempotencyKey?: string
  body?: unknown
}

/** Clients that send in turn: limits count addresses. */
const clients = 64

let sent = 0

/** The request as it goes over the wire, with the address that Cloudflare would add. */
export const encode = ({ method, path, token, origin, idempotencyKey, body }: Call): Buffer => {
  const text = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: bench.example.com',
    `CF-Connecting-IP: 192.0.2.${sent++ % clients}`,
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(idempotencyKey === undefined ? [] : [`Idempotency-Key: ${idempotencyKey}`]),
    ...(body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`)
}

type Options = {
  port: number
  connections: number
  /** What comes first ends it. */
  requests?: number
  seconds: number
  next: () => Buffer
  status?: number
}

export type Load = {
  /** Milliseconds, one a request. */
  latencies: number[]
  perSecond: number
  /** CPU milliseconds that this process, the generator, spent on a request. */
  generatorMs: number
}

/** A closed loop: each connection sends the next request when it has the reply to the last. */
export const runLoad = async (options: Options): Promise<Load> => {
  const { port, connections, requests = Infinity, seconds, next, status = 200 } = options
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(port)))
  const latencies: number[] = []
  let started = 0
  const cpu = process.cpuUsage()
  const begin = performance.now()
  const deadline = begin + seconds * 1_000

  const send = async ({ exchange }: (typeof open)[number]) => {
    for (let now = begin; started < requests && now < deadline;) {
      started += 1
      const began = performance.now()
      const reply = await exchange(next())
      now = performance.now()
      if (reply.status !== status) throw new Error(`Expected ${status}, got: ${reply.text.slice(0, 1_000)}`)
      latencies.push(now - began)
    }
  }

  // A run that sends nothing, or is refused once, has measured something else.
  try {
    await Promise.all(open.map(send))
  } finally {
    for (const { close } of open) close()
  }
  const { user, system } = process.cpuUsage(cpu)
  return {
    latencies,
    perSecond: latencies.length / ((performance.now() - begin) / 1_000),
    generatorMs: (user + system) / 1_000 / latencies.length,
  }
}

/** The same call by fetch, once. */
export const request = (url: string, { method, path, token, body }: Call): Promise<Response> =>
  fetch(`${url}${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
