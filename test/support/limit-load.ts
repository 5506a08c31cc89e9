import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Seen } from './admissions.ts'

/** A client at one address of this machine. */
export type Client = { api: string; address: string; connections: number }

const createCall = ({ api, address, connections }: Client) => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, localAddress: address })
  const call = (): Promise<Seen> =>
    new Promise((resolve, reject) => {
      const sent = Date.now()
      const req = request(`${api}/`, { agent, headers: { accept: 'application/json' } }, (res) => {
        res.resume().once('end', () => {
          const header = (name: string) => Number.parseInt(String(res.headers[name]), 10)
          resolve({
            ...{ sent, received: Date.now(), status: res.statusCode ?? 0 },
            ...{ remaining: header('x-ratelimit-remaining'), reset: header('x-ratelimit-reset') },
            retryAfter: header('retry-after'),
          })
        })
      })
      req.once('error', reject).end()
    })
  return { call, close: () => agent.destroy() }
}

/**
 * Moments, in milliseconds from now, at which requests are due: evenly at `load` times what the limit admits, and, when
 * that is at least all of it, a burst of the whole limit on either side of each edge of the clock's own windows.
 */
export const arrivals = (
  { points, windowMs }: { points: number; windowMs: number },
  load: number,
  durationMs: number,
  now = Date.now(),
): number[] => {
  const spacing = windowMs / (points * load)
  const even = Array.from({ length: Math.floor(durationMs / spacing) }, (_, n) => n * spacing)
  if (load < 1) return even
  const firstEdge = windowMs - (now % windowMs)
  const edges = Array.from({ length: Math.ceil(durationMs / windowMs) }, (_, n) => firstEdge + n * windowMs)
  const bursts = edges.flatMap((edge) =>
    Array.from({ length: 2 * points }, (_, n) => edge + (n < points ? -10 : 10)),
  )
  return [...even, ...bursts].filter((due) => due >= 0 && due < durationMs).toSorted((a, b) => a - b)
}

/** Sends what is due over that many connections; what cannot be sent within the duration is left out. */
export const runLoad = async (
  client: Client,
  due: readonly number[],
  durationMs: number,
): Promise<Seen[]> => {
  const { call, close } = createCall(client)
  const seen: Seen[] = []
  const queue = due.values()
  const started = performance.now()
  const worker = async () => {
    for (const at of queue) {
      const early = at - (performance.now() - started)
      if (early < -durationMs / 10 && performance.now() - started > durationMs) return
      if (early > 0) await sleep(early)
      seen.push(await call())
    }
  }
  await Promise.all(Array.from({ length: client.connections }, worker))
  close()
  return seen
}

/** As many at once as it takes until one is refused; answers the refusal that came last. */
export const untilRefused = async (client: Client): Promise<Seen> => {
  const { call, close } = createCall(client)
  for (;;) {
    const seen = await Promise.all(Array.from({ length: 2 * client.connections }, call))
    const refused = seen.filter(({ status }) => status === 429).toSorted((a, b) => a.received - b.received)
    const last = refused.at(-1)
    if (last === undefined) continue
    close()
    return last
  }
}

export const once = async (client: Client): Promise<Seen> => {
  const { call, close } = createCall({ ...client, connections: 1 })
  const seen = await call()
  close()
  return seen
}
