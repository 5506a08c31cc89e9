import { parentPort, workerData } from 'node:worker_threads'
import { createRedisServer } from 'js-redis-server'

/** 0: any free port. */
export type WorkerInput = { port: number }
export type WorkerReport = { port: number }

// The version whose protocol Upstash supports.
const { port } = await createRedisServer({
  compatibility: 'redis-8.0',
  port: (workerData as WorkerInput).port,
})
parentPort?.postMessage({ port } satisfies WorkerReport)
