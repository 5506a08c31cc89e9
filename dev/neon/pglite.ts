import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { placeCluster } from './cluster.ts'
import { settleWithin } from './listen.ts'
import { createPostgresEngine } from './postgres.ts'
import type { SqlEngine } from './engine.ts'
import type { WorkerInput, WorkerReport } from './pglite-worker.ts'

type Options = { dataDir: string; log: (line: string) => void; idleMs?: number }

const POOL_CLOSE_MS = 500
const CLOSE_MS = 3_000

const startWorker = async (input: WorkerInput) => {
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), {
    workerData: input,
    resourceLimits: { stackSizeMb: 64 },
  })
  const ended = once(worker, 'exit').then((): [WorkerReport] => [{ kind: 'broken', reason: 'it ended' }])
  const [report] = (await Promise.race([once(worker, 'message'), ended])) as [WorkerReport]
  if (report.kind === 'ready') return { worker, port: report.port }
  throw new Error(
    `Cannot open the embedded database in ${input.dataDir}: ${report.kind === 'broken' ? report.reason : report.kind}`,
  )
}

const closeWorker = async (worker: Worker): Promise<void> => {
  const gone = once(worker, 'exit')
  worker.postMessage('close')
  if (!(await settleWithin(gone, CLOSE_MS))) await worker.terminate()
}

const makeCluster = async (dataDir: string): Promise<void> => {
  const { worker } = await startWorker({ dataDir, port: 0, idleMs: 5_000 })
  await closeWorker(worker)
}

/** PGlite in a worker thread: a PostgreSQL on a port of 127.0.0.1, and the engine that uses it. */
export const openPglite = async ({ dataDir, log, idleMs = 5_000 }: Options) => {
  await placeCluster(dataDir, makeCluster)
  let closing = false
  let port = 0
  let running: Worker

  const start = async () => {
    const started = await startWorker({ dataDir, port, idleMs })
    if (closing) return void (await started.worker.terminate())
    running = started.worker
    port = started.port
    running.on('message', (report: WorkerReport) => {
      if (report.kind === 'broken') log(`database: the embedded server broke: ${report.reason}`)
    })
    running.on('error', (error) => log(`database: the embedded server broke: ${String(error)}`))
    running.once('exit', () => {
      if (closing) return
      log('database: starting the embedded server again')
      start().catch((error: unknown) => log(`database: ${String(error)}`))
    })
  }
  await start()

  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  // One connection: the server has one backend, and a second would only wait for the first.
  const pooled = createPostgresEngine({ url, connections: 1, cancels: false, log })

  // The engine takes its connection before any other client can.
  await pooled.run(
    { statements: [{ query: 'select 1', params: [] }], transaction: undefined },
    new AbortController().signal,
  )

  const engine: SqlEngine = {
    run: pooled.run,
    close: async () => {
      await settleWithin(pooled.close(), POOL_CLOSE_MS)
      closing = true
      await closeWorker(running)
    },
  }
  return { url, engine }
}
