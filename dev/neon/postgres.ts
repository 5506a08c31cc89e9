import { Client, Pool } from 'pg'
import { settleWithin } from './listen.ts'
import type { SqlEngine, SqlRequest, SqlResult, Statement, Transaction } from './engine.ts'
import type { PoolClient, QueryArrayConfig, QueryArrayResult } from 'pg'

type Options = {
  url: string
  connections?: number
  /** False where the server has no other backend that could end a running query. */
  cancels?: boolean
  log?: (line: string) => void
}

const CLOSE_MS = 1_500

/** What Neon's servers default to; without it the text of a value depends on the local server's settings. */
const SESSION = '-c client_encoding=UTF8 -c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres'

/** Commands whose effect outlives the request: Neon never shows them to the next one. */
const SESSION_COMMANDS = new Set(['SET', 'RESET', 'PREPARE', 'LISTEN', 'DECLARE'])

const leavesSessionState = ({ command }: SqlResult) => SESSION_COMMANDS.has(command)

const asPrinted = { getTypeParser: () => (value: unknown) => value }

const begin = ({ isolation, readOnly, deferrable }: Transaction) =>
  ['BEGIN', isolation && `ISOLATION LEVEL ${isolation}`, readOnly && 'READ ONLY', deferrable && 'DEFERRABLE']
    .filter(Boolean)
    .join(' ')

/** `queryMode` keeps several commands in one text from being run, as Neon does; @types/pg does not know it. */
type ExtendedQuery = QueryArrayConfig<unknown[]> & { queryMode: 'extended' }

const send = (client: PoolClient, { query, params }: Statement) => {
  const config: ExtendedQuery = { text: query, values: params, rowMode: 'array', queryMode: 'extended' }
  return client.query<(string | null)[], unknown[]>(config)
}

/** Statements go out without waiting for each other; the first error is thrown once all are answered. */
const sendAll = async (client: PoolClient, statements: Statement[]) => {
  const outcomes = await Promise.allSettled(statements.map((statement) => send(client, statement)))
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

const runOn = async (client: PoolClient, { statements, transaction }: SqlRequest, signal: AbortSignal) => {
  if (!transaction) return sendAll(client, statements)
  // Awaited by itself: if it failed, what follows would commit statement by statement.
  await sendAll(client, [{ query: begin(transaction), params: [] }])
  signal.throwIfAborted()
  const results = await sendAll(client, [...statements, { query: 'COMMIT', params: [] }])
  return results.slice(0, -1)
}

/** pg reports an error before the server is ready again; the transaction status counts only after that. */
const isAtRest = async (client: PoolClient) => {
  try {
    await client.query('')
    return client.getTransactionStatus() === 'I'
  } catch {
    return false
  }
}

const toResult = ({ fields, rows, command, rowCount }: QueryArrayResult<(string | null)[]>): SqlResult => ({
  fields: fields.map(({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format }) => ({
    name,
    dataTypeID,
    tableID,
    columnID,
    dataTypeSize,
    dataTypeModifier,
    format,
  })),
  rows,
  command,
  rowCount,
})

/** A pool of connections to a PostgreSQL server; more requests than connections wait in line. */
export const createPostgresEngine = (options: Options): SqlEngine => {
  const { url, connections = 24, cancels = true, log = () => undefined } = options
  const pool = new Pool({
    connectionString: url,
    max: connections,
    idleTimeoutMillis: 0,
    pipeline: true,
    options: SESSION,
    types: asPrinted,
  })
  const control = new Pool({ connectionString: url, max: 1, idleTimeoutMillis: 1_000 })
  const pids = new WeakMap<PoolClient, string>()
  const ending = new Set<Promise<unknown>>()
  for (const each of [pool, control]) each.on('error', (error) => log(`database: ${error.message}`))

  const learnPid = async (client: PoolClient) => {
    if (!cancels || pids.has(client)) return
    const { rows } = await client.query<{ pid: string }>('select pg_backend_pid() as pid')
    pids.set(client, rows[0]?.pid ?? '')
  }

  // Not pg_cancel_backend: that is lost when the backend has not begun the next statement yet.
  const terminate = (client: PoolClient) => {
    const ended = control
      .query('select pg_terminate_backend($1)', [pids.get(client)])
      .catch((error: unknown) => log(`database: cannot end an abandoned query: ${String(error)}`))
      .finally(() => ending.delete(ended))
    ending.add(ended)
  }

  const runConnected = async (client: PoolClient, request: SqlRequest, signal: AbortSignal) => {
    const abandon = () => {
      if (cancels) terminate(client)
    }
    // What breaks the connection also rejects its queries; without a listener it would end this process.
    const ignore = () => undefined
    client.on('error', ignore)
    let reusable = false
    try {
      await learnPid(client)
      signal.throwIfAborted()
      signal.addEventListener('abort', abandon, { once: true })
      const results = (await runOn(client, request, signal)).map(toResult)
      reusable = client.getTransactionStatus() === 'I' && !results.some(leavesSessionState)
      return results
    } catch (error) {
      reusable = !signal.aborted && (await isAtRest(client))
      throw error
    } finally {
      signal.removeEventListener('abort', abandon)
      client.off('error', ignore)
      client.release(signal.aborted || !reusable)
    }
  }

  return {
    run: async (request, signal) => {
      const client = await pool.connect()
      if (!signal.aborted) return runConnected(client, request, signal)
      client.release()
      throw signal.reason
    },
    close: async () => {
      await settleWithin(Promise.all(ending), CLOSE_MS)
      await settleWithin(Promise.all([pool.end(), control.end()]), CLOSE_MS)
    },
  }
}

/** The engine over a server that answers now; else an Error with one sentence and no password in it. */
export const openPostgres = async ({ url, log }: { url: string; log: (line: string) => void }) => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : String(error)
    throw new Error(`Cannot reach the PostgreSQL server of DATABASE_URL: ${reason}`, { cause: error })
  } finally {
    await client.end().catch(() => undefined)
  }
  return { url, engine: createPostgresEngine({ url, log }) }
}
