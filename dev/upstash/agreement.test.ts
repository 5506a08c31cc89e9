import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipOrFail } from '../../test/support/postgres.ts'
import { openRedis, type LocalRedis } from '../redis.ts'
import { findRedisServer } from './server.ts'

/** One a line, in this order on the same data; a word in double quotes may contain blanks. */
const COMMANDS = readFileSync(join(import.meta.dirname, 'agreement.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? ''))

const UNORDERED = new Set(['SMEMBERS', 'SDIFF', 'SINTER', 'SUNION', 'KEYS', 'SCAN'])

const answers = async ({ restUrl, token }: LocalRedis): Promise<unknown[]> => {
  const headers = { authorization: `Bearer ${token}`, 'upstash-encoding': 'base64' }
  const response = await fetch(`${restUrl}/pipeline`, {
    method: 'POST',
    headers,
    body: JSON.stringify(COMMANDS),
  })
  return (await response.json()) as unknown[]
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : value

const comparable = (replies: unknown[]) =>
  COMMANDS.map((command, at) => {
    const reply = replies[at] as { result?: unknown; error?: string }
    return {
      command: command.join(' '),
      ...reply,
      ...(UNORDERED.has(command[0] ?? '') && { result: sorted(reply.result) }),
    }
  })

const name = 'the embedded Redis'
if (!findRedisServer()) skipOrFail(name, 'no redis-server on PATH')
else {
  describe(name, () => {
    let embedded: LocalRedis
    let server: LocalRedis
    let dataDir = ''
    beforeAll(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'selvedge-redis-'))
      ;[embedded, server] = await Promise.all([openRedis({ dataDir, path: '' }), openRedis({ dataDir })])
    })
    afterAll(async () => {
      await Promise.all([embedded, server].map((redis) => redis.close()))
      await rm(dataDir, { recursive: true })
    })

    it(`answers ${COMMANDS.length} commands exactly as redis-server does`, async () => {
      expect([embedded.kind, server.kind]).toEqual(['embedded', 'server'])
      expect(comparable(await answers(embedded))).toEqual(comparable(await answers(server)))
    })
  })
}
