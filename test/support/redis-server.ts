import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisConfigNodejs } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { openRedis, type LocalRedis } from '../../dev/redis.ts'
import { findRedisServer } from '../../dev/upstash/server.ts'
import { skipOrFail } from './postgres.ts'

type Cases = (redis: () => LocalRedis) => void

/** The real SDK on a local endpoint; it does not retry, so that a failure shows at once. */
export const upstash = ({ restUrl, token }: LocalRedis, config: Partial<RedisConfigNodejs> = {}) =>
  new Redis({ url: restUrl, token, retry: false, enableTelemetry: false, ...config })

type Init = Omit<RequestInit, 'headers'> & { base64?: boolean; headers?: Record<string, string> }

/** The REST API without an SDK. */
export const rest = (redis: () => LocalRedis) => {
  const call = async (path: string, init: Init = {}) => {
    const response = await fetch(redis().restUrl + path, {
      method: 'POST',
      ...init,
      headers: {
        authorization: `Bearer ${redis().token}`,
        ...(init.base64 && { 'upstash-encoding': 'base64' }),
        ...init.headers,
      },
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? '' : JSON.parse(text) }
  }
  const run = (command: unknown, base64 = false) => call('/', { body: JSON.stringify(command), base64 })
  return {
    call,
    run,
    result: async (...command: unknown[]) => (await run(command)).body.result,
    batch: (path: '/pipeline' | '/multi-exec', commands: unknown, base64 = false) =>
      call(path, { body: JSON.stringify(commands), base64 }),
  }
}

const describeOn = (name: string, path: string | undefined, cases: Cases) =>
  describe(name, () => {
    let redis: LocalRedis | undefined
    let dataDir = ''
    const opened = () => {
      if (!redis) throw new Error('Redis is there only while tests run')
      return redis
    }
    beforeAll(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'selvedge-redis-'))
      redis = await openRedis({ dataDir, ...(path !== undefined && { path }) })
    })
    beforeEach(async () => {
      await upstash(opened()).flushdb()
    })
    afterAll(async () => {
      await redis?.close()
      await rm(dataDir, { recursive: true, force: true })
    })
    cases(opened)
  })

const onEmbeddedRedis = (title: string, cases: Cases) => describeOn(`${title} (embedded)`, '', cases)

const onRedisServer = (title: string, cases: Cases) => {
  const name = `${title} (redis-server)`
  if (findRedisServer()) describeOn(name, undefined, cases)
  else skipOrFail(name, 'no redis-server on PATH')
}

/** The same cases on both engines. */
export const onBothRedis = (title: string, cases: Cases) => {
  onEmbeddedRedis(title, cases)
  onRedisServer(title, cases)
}

/** How the SDK may be set up, where it matters to the endpoint. */
export const CONFIGS = [
  ['as it comes', {}],
  ['without base64', { responseEncoding: false }],
  ['without pipelines of its own', { enableAutoPipelining: false }],
] as const
