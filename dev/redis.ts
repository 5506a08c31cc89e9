import { randomBytes } from 'node:crypto'
import { withDialect } from './upstash/dialect.ts'
import { openEmbedded } from './upstash/embedded.ts'
import { startEndpoint } from './upstash/endpoint.ts'
import { openRespEngine } from './upstash/resp.ts'
import { withUpstashScripts } from './upstash/scripts.ts'
import { findRedisServer, startRedisServer } from './upstash/server.ts'
import type { RedisEngine } from './upstash/engine.ts'

export type LocalRedis = {
  kind: 'server' | 'embedded'
  /** Upstash's REST API, for UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN. */
  restUrl: string
  token: string
  close(): Promise<void>
}

type Log = (line: string) => void
type Backend = { kind: LocalRedis['kind']; engine: RedisEngine }
type Options = {
  redisUrl?: string
  dataDir: string
  log?: Log
  /** Where to look for a redis-server: folders, as in PATH. */
  path?: string
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const connectTo = async (url: string, log: Log): Promise<Backend> => {
  try {
    return { kind: 'server', engine: withDialect(await openRespEngine({ url, log })) }
  } catch (error) {
    throw new Error(`Cannot reach the Redis server of REDIS_URL: ${reasonOf(error)}`, { cause: error })
  }
}

const startServer = async (binary: string, dataDir: string, log: Log): Promise<Backend> => {
  const server = await startRedisServer({ binary, dataDir })
  try {
    const engine = await openRespEngine({ url: server.url, log })
    let closing = false
    void server.exited.then(() => closing || log(`redis: redis-server ended: ${dataDir}/redis.log says why`))
    const close = async () => {
      closing = true
      await engine.close()
      await server.stop()
    }
    return { kind: 'server', engine: withDialect({ ...engine, close }) }
  } catch (error) {
    await server.stop()
    throw error
  }
}

const unknownToEmbedded = (name: string) =>
  `ERR Command is not available: '${name}'. The embedded Redis lacks it; one with redis-server on PATH may have it`

const startEmbedded = async (log: Log): Promise<Backend> => ({
  kind: 'embedded',
  engine: withDialect(await openEmbedded({ log }), { unknown: unknownToEmbedded }),
})

const openBackend = async ({ redisUrl, dataDir, path, log }: Options & { log: Log }): Promise<Backend> => {
  if (redisUrl) return connectTo(redisUrl, log)
  const binary = findRedisServer(path)
  if (!binary) return startEmbedded(log)
  try {
    return await startServer(binary, dataDir, log)
  } catch (error) {
    log(`redis: ${reasonOf(error)}; using the embedded one`)
    return startEmbedded(log)
  }
}

/** The Redis server of `redisUrl`, else a redis-server of our own, else an embedded one, behind Upstash's REST API. */
export const openRedis = async (options: Options): Promise<LocalRedis> => {
  const { log = () => undefined } = options
  const { kind, engine } = await openBackend({ ...options, log })
  const token = randomBytes(32).toString('base64url')
  const endpoint = await startEndpoint({ engine: withUpstashScripts(engine), token, log })

  return {
    kind,
    restUrl: endpoint.url,
    token,
    close: async () => {
      await endpoint.close()
      await engine.close()
    },
  }
}
