import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { z } from 'zod'
import type { Question } from './servers-process.ts'

const Answer = z.object({ value: z.unknown().optional(), error: z.string().optional() })

const Redis = z.object({ restUrl: z.string(), token: z.string(), kind: z.enum(['server', 'embedded']) })

/** A call to the database as it went over the wire. */
const Recorded = z.object({ headers: z.record(z.string(), z.unknown()), body: z.string() })

/** What a Worker of the bench calls: Neon's protocol, Upstash's, and either of them from a distance. */
export const startServers = () => {
  let child: ChildProcess | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const exchange = async (question: Question): Promise<unknown> => {
    child ??= fork(join(import.meta.dirname, 'servers-process.ts'))
    child.send(question)
    const { value, error } = Answer.parse((await once(child, 'message'))[0])
    if (error !== undefined) throw new Error(error)
    return value
  }

  /** One question at a time: answers carry no name. */
  const ask = (question: Question): Promise<unknown> => (turn = turn.then(() => exchange(question)))

  return {
    database: async (databaseUrl: string) => String(await ask({ ask: 'database', databaseUrl })),
    redis: async () => Redis.parse(await ask({ ask: 'redis' })),
    distance: async (endpoint: string, milliseconds: number) =>
      String(await ask({ ask: 'distance', endpoint, milliseconds })),
    /** The last request that went through a distance. */
    last: async (endpoint: string) => Recorded.parse(await ask({ ask: 'last', endpoint })),
    async stop(): Promise<void> {
      if (child === undefined) return
      await ask({ ask: 'stop' })
      child.kill('SIGKILL')
    },
  }
}

export type Servers = ReturnType<typeof startServers>
