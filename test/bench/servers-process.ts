// The endpoints that a Worker calls, in a process of their own: not in that of the load generator, whose time counts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openDatabase } from '../../dev/database.ts'
import { openRedis } from '../../dev/redis.ts'
import { startDistance } from './distance-server.ts'

const Question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('database'), databaseUrl: z.string() }),
  z.object({ ask: z.literal('redis') }),
  z.object({ ask: z.literal('distance'), endpoint: z.string(), milliseconds: z.number() }),
  z.object({ ask: z.literal('last'), endpoint: z.string() }),
  z.object({ ask: z.literal('stop') }),
])

export type Question = z.infer<typeof Question>

const folder = mkdtempSync(join(tmpdir(), 'selvedge-bench-servers-'))
const closers: (() => Promise<void>)[] = []
const distances = new Map<string, Awaited<ReturnType<typeof startDistance>>>()

const answer = async (question: Question): Promise<unknown> => {
  switch (question.ask) {
    case 'database': {
      const { fetchEndpoint } = await openDatabase({ databaseUrl: question.databaseUrl, dataDir: '' })
      return fetchEndpoint
    }
    case 'redis': {
      const { restUrl, token, kind, close } = await openRedis({ dataDir: folder })
      closers.push(close)
      return { restUrl, token, kind }
    }
    case 'distance': {
      const distance = await startDistance(question.endpoint, question.milliseconds)
      distances.set(distance.url, distance)
      return distance.url
    }
    case 'last':
      return distances.get(question.endpoint)?.last()
    case 'stop':
      for (const close of closers) await close()
      rmSync(folder, { recursive: true, force: true })
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (message) => {
  answer(Question.parse(message)).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
