import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { skipOrFail } from '../test/support/postgres.ts'
import { upstash } from '../test/support/redis-server.ts'
import { findProcess } from './processes.ts'
import { openRedis, type LocalRedis } from './redis.ts'
import { openEmbedded } from './upstash/embedded.ts'
import { findRedisServer, startRedisServer } from './upstash/server.ts'

let dataDir = ''
const lines: string[] = []
const log = (line: string) => void lines.push(line)
const opened: { close(): Promise<unknown> }[] = []
const open = async (options: Partial<Parameters<typeof openRedis>[0]> = {}) => {
  const redis = await openRedis({ dataDir, log, ...options })
  opened.push(redis)
  return redis
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'selvedge redis '))
  lines.length = 0
})
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const pidOf = async (redis: LocalRedis) => {
  const info = await upstash(redis).exec<string>(['INFO', 'server'])
  return Number(/process_id:(\d+)/.exec(info)?.[1])
}

describe('without a redis-server', () => {
  it('is embedded, empty at each start, and gone when closed', async () => {
    const redis = await open({ path: dataDir })
    expect(redis.kind).toBe('embedded')
    await upstash(redis).set('k', 1)
    await redis.close()
    await expect(upstash(redis).get('k')).rejects.toThrow('fetch failed')
    expect(await upstash(await open({ path: dataDir })).get('k')).toBeNull()
    expect(lines).toEqual([])
    expect(readdirSync(dataDir)).toEqual([])
  })

  it('is embedded when the one there is does not start', async () => {
    writeFileSync(join(dataDir, 'redis-server'), '#!/bin/sh\necho "no such luck"; exit 1\n', { mode: 0o755 })
    const redis = await open({ path: dataDir })
    expect(redis.kind).toBe('embedded')
    expect(lines).toEqual(['redis: redis-server does not start: no such luck; using the embedded one'])
  })

  it('says of a command that only the embedded one lacks where to get it', async () => {
    const client = upstash(await open({ path: dataDir }))
    await expect(client.exec(['ECHO', 'a'])).rejects.toThrow("'ECHO'. The embedded Redis lacks it")
  })

  it('ends a script that does not end', async () => {
    const client = upstash(await open({ path: dataDir }))
    await expect(client.eval('while true do end', [], [])).rejects.toThrow('Script killed')
    expect(await client.ping()).toBe('PONG')
  })

  it('starts again, empty, when it breaks', async () => {
    const worker = new URL('./upstash/embedded-worker.ts', import.meta.url)
    const breakable = `await import('${worker.href}')
      new BroadcastChannel('break').onmessage = () => { throw new Error('broken') }`
    const script = new URL(`data:text/javascript,${encodeURIComponent(breakable)}`)
    const engine = await openEmbedded({ log, script })
    opened.push(engine)
    await engine.run([['SET', 'k', '1']])
    const channel = new BroadcastChannel('break')
    channel.postMessage('now')
    channel.close()
    await expect.poll(() => lines.at(-1), { timeout: 10_000 }).toBe('redis: connected again')
    expect(lines).toContain('redis: the embedded server broke: Error: broken')
    expect(await engine.run([['GET', 'k']])).toEqual([null])
  })
})

describe('REDIS_URL', () => {
  it('that nothing answers at is told in one sentence, without its password', async () => {
    const failed = open({ redisUrl: 'redis://:hush@127.0.0.1:1' })
    await expect(failed).rejects.toThrow(
      /^Cannot reach the Redis server of REDIS_URL: connect ECONNREFUSED 127\.0\.0\.1:1$/,
    )
  })
})

const withServer = (binary: string) => {
  it('is the one on PATH, and keeps nothing on disk', async () => {
    const redis = await open()
    expect(redis.kind).toBe('server')
    await upstash(redis).set('k', 1)
    await redis.close()
    expect(readdirSync(dataDir).toSorted()).toEqual(['redis.conf', 'redis.log'])
    expect(await upstash(await open()).get('k')).toBeNull()
    expect(lines).toEqual([])
  })

  it('ends when it is closed', async () => {
    const redis = await open()
    const pid = await pidOf(redis)
    expect(findProcess(pid)?.command).toContain('redis-server')
    await redis.close()
    expect(findProcess(pid)).toBeUndefined()
  })

  it('ends when the process that started it is killed', async () => {
    const script = `import { openRedis } from ${JSON.stringify(join(import.meta.dirname, 'redis.ts'))}
      console.log(JSON.stringify(await openRedis({ dataDir: ${JSON.stringify(dataDir)} })))`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script])
    const [told] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = await pidOf(JSON.parse(told.toString()) as LocalRedis)
    expect(findProcess(pid)?.command).toContain('redis-server')
    parent.kill('SIGKILL')
    await expect.poll(() => findProcess(pid), { timeout: 5_000 }).toBeUndefined()
  })

  it('is missed when it is killed: commands fail at once, and the log says it', async () => {
    const redis = await open()
    process.kill(await pidOf(redis), 'SIGKILL')
    await expect
      .poll(() => lines, { timeout: 10_000 })
      .toContain(`redis: redis-server ended: ${dataDir}/redis.log says why`)
    await expect(upstash(redis).get('k')).rejects.toThrow('ERR Redis cannot be reached')
  })

  it('of REDIS_URL is used, connected to again, and left running', async () => {
    const server = await startRedisServer({ binary, dataDir })
    opened.push({ close: server.stop })
    const redis = await open({ redisUrl: server.url, path: '' })
    expect(redis.kind).toBe('server')
    const pid = await pidOf(redis)
    const other = new Redis(server.url)
    await other.client('KILL', 'TYPE', 'normal')
    other.disconnect()
    await expect.poll(() => lines.at(-1), { timeout: 5_000 }).toBe('redis: connected again')
    await redis.close()
    expect(findProcess(pid)?.pid).toBe(pid)
    const stranger = server.url.replace(/:\w+@/, ':hush@')
    await expect(open({ redisUrl: stranger })).rejects.toThrow(
      /^Cannot reach .*REDIS_URL: WRONGPASS (?!.*hush)/,
    )
  })
}

const binary = findRedisServer()
if (binary === undefined) skipOrFail('a redis-server of our own', 'no redis-server on PATH')
else describe('a redis-server of our own', () => withServer(binary))
