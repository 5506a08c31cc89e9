import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { startGateway } from './gateway.ts'
import { queryMessage, startupMessage } from './frames.ts'
import type { Backend } from './gateway.ts'

export type WorkerInput = { dataDir: string; port: number; idleMs: number }
export type WorkerReport =
  { kind: 'ready'; port: number } | { kind: 'closed' } | { kind: 'broken'; reason: string }

const { dataDir, port, idleMs } = workerData as WorkerInput
const report = (line: WorkerReport) => parentPort?.postMessage(line)

const fail = (error: unknown) => {
  report({ kind: 'broken', reason: String(error) })
  process.exit(1)
}

// After either the server is gone, and asking it again never returns. Text values cannot contain a NUL byte.
const isLastWord = (bytes: Buffer) => bytes.includes('VPANIC\0') || bytes.includes('VFATAL\0')

const openBackend = async (database: PGlite): Promise<Backend> => {
  const execute: Backend['execute'] = (message, onBytes) =>
    database.execProtocolRawStream(message, {
      onRawData: (data) => {
        // A view of the server's own memory: copied before the server goes on.
        const bytes = Buffer.from(data)
        if (isLastWord(bytes)) fail(bytes.toString('latin1').replace(/[^ -~]+/g, ' '))
        onBytes(bytes)
      },
    })
  const greeting: Buffer[] = []
  await execute(startupMessage('postgres', 'postgres'), (bytes) => greeting.push(bytes))
  return { greeting: Buffer.concat(greeting), execute, inTransaction: () => database.isInTransaction() }
}

try {
  const database = await PGlite.create({ dataDir, extensions: { pg_trgm } })
  const backend = await openBackend(database)
  const gateway = await startGateway({ backend, port, idleMs, onBroken: fail })

  parentPort?.once('message', () => {
    const close = async () => {
      await gateway.close()
      await backend.execute(queryMessage('checkpoint'), () => undefined)
      await database.close()
      report({ kind: 'closed' })
    }
    close().catch(fail)
  })
  report({ kind: 'ready', port: gateway.port })
} catch (error) {
  fail(error)
}
