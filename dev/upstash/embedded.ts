import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { isRefusal, type RedisEngine } from './engine.ts'
import { openRespEngine } from './resp.ts'
import type { WorkerInput, WorkerReport } from './embedded-worker.ts'

type Options = { log: (line: string) => void; script?: URL }

const SCRIPT = new URL('./embedded-worker.ts', import.meta.url)

const REFUSED_BY_REDIS = /^ERR (wrong number of arguments|unknown (sub)?command)/

const startWorker = async (script: URL, input: WorkerInput) => {
  const worker = new Worker(script, { workerData: input })
  const [report] = (await once(worker, 'message')) as [WorkerReport]
  return { worker, port: report.port }
}

/** A Redis in JavaScript, in a thread of its own so that what breaks it breaks nothing else. Keeps nothing on disk. */
export const openEmbedded = async ({ log, script = SCRIPT }: Options): Promise<RedisEngine> => {
  let closing = false
  let port = 0
  let running: Worker

  const start = async () => {
    const started = await startWorker(script, { port })
    running = started.worker
    port = started.port
    running.on('error', (error) => log(`redis: the embedded server broke: ${String(error)}`))
    running.once('exit', () => {
      if (closing) return
      log('redis: starting the embedded server again, empty')
      start().catch((error: unknown) => log(`redis: ${String(error)}`))
    })
  }
  await start()

  const engine = await openRespEngine({ url: `redis://127.0.0.1:${port}`, log })
  return {
    ...engine,
    transact: async (commands) => {
      const outcome = await engine.transact(commands)
      // This server refuses some values when it queues a command; Redis queues it, and it fails in its turn. There is
      // no other connection, so a plain run is a transaction too.
      return isRefusal(outcome) && !REFUSED_BY_REDIS.test(outcome.error) ? engine.run(commands) : outcome
    },
    close: async () => {
      closing = true
      await engine.close()
      await running.terminate()
    },
  }
}
