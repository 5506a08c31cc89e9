import { neon, neonConfig, type NeonQueryInTransaction } from '@neondatabase/serverless'
import type { BatchItem } from 'drizzle-orm/batch'
import { drizzle, type NeonHttpDatabase, type NeonHttpQueryResult } from 'drizzle-orm/neon-http'
import { sql, SQL } from 'drizzle-orm'
import { backoff, sleep } from '../shared/backoff.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import { isUnanswered, toAppError, wasUndone } from './violations.ts'

/** A query builder, a bare `sql` template, or nothing where a statement is not always needed. */
type Statement = SQL | BatchItem<'pg'> | undefined

type Result<S> = S extends { _: { result: infer R } }
  ? R
  : S extends SQL
    ? NeonHttpQueryResult<Row>
    : undefined

type Row = Record<string, unknown>

type Results<S extends readonly Statement[]> = { -readonly [K in keyof S]: Result<S[K]> }

/** Runs statements as one HTTP call and one transaction; answers one result a statement, in their order. */
type Run = <const S extends readonly Statement[]>(statements: S) => Promise<Results<S>>

export type Database = {
  /** For building statements; running them is for `read` and `write`. */
  db: Pick<NeonHttpDatabase, 'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | 'with' | '$with'>
  /** A read-only transaction, so that a retry is safe: tried three times in all. */
  read: Run
  /** Tried again only when the database says that it undid everything (deadlock, serialization failure). */
  write: Run
  /** One try within `milliseconds`. */
  ping: (milliseconds: number) => Promise<void>
}

type Settings = { databaseUrl: string; fetchEndpoint: string | undefined; timeoutMs: number }

type Context = { log: Logger; meter: Meter; onWait?: (milliseconds: number) => Promise<void> }

type Access = { readOnly: boolean; retries: number; mayRetry: (error: unknown) => boolean }

const reads: Access = {
  readOnly: true,
  retries: 2,
  mayRetry: (error) => isUnanswered(error) || wasUndone(error),
}
const writes: Access = { readOnly: false, retries: 4, mayRetry: wasUndone }

/**
 * The driver takes only what fetch throws for a failed connection: an answer that breaks off in its middle, or stalls
 * until the timeout, has to fail there too.
 */
const fetchWhole: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  return new Response(await response.arrayBuffer(), { status: response.status })
}

/** Builds statements and can run none. */
const builder = drizzle.mock()

const textOf = ({ queryData }: NeonQueryInTransaction): string =>
  'query' in queryData ? queryData.query : '(template)'

/**
 * The only place that knows the driver. The driver has no timeout and no retry of its own, and its errors quote SQL
 * and parameters: what leaves here is an AppError, or not the database's.
 */
export const createDatabase = (
  { databaseUrl, fetchEndpoint, timeoutMs }: Settings,
  { log, meter, onWait = sleep }: Context,
): Database => {
  neonConfig.fetchFunction = fetchWhole
  if (fetchEndpoint !== undefined) neonConfig.fetchEndpoint = fetchEndpoint

  const measured = async <T>(statements: string[], call: () => Promise<T>): Promise<T> => {
    const started = Date.now()
    try {
      return await call()
    } finally {
      const milliseconds = Date.now() - started
      meter.calls += 1
      meter.milliseconds += milliseconds
      log.debug('database call', { milliseconds, statements })
    }
  }

  const connect = ({ readOnly, retries, mayRetry }: Access, timeout: number) => {
    const client = neon(databaseUrl)
    const send = client.transaction
    const sendWithRetries = async (...[queries, options]: Parameters<typeof send>) => {
      const texts = Array.isArray(queries) ? queries.map(textOf) : []
      for (let attempt = 0; ; attempt++) {
        // AbortSignal.timeout() would keep an object awake for all of that time, after the answer.
        const controller = new AbortController()
        const timer = setTimeout(() => controller.abort(new Error('No answer in time')), timeout)
        const fetchOptions = { signal: controller.signal }
        try {
          return await measured(texts, () => send(queries, { ...options, readOnly, fetchOptions }))
        } catch (error) {
          if (attempt >= retries || !mayRetry(error)) throw toAppError(error)
          log.warn('database call is tried again', { attempt: attempt + 1 })
          await onWait(backoff(attempt))
        } finally {
          clearTimeout(timer)
        }
      }
    }
    // The driver's generic signature cannot be repeated by a function that only forwards.
    client.transaction = sendWithRetries as typeof send
    return drizzle(client)
  }

  // Made when first needed: many requests never ask the database, and hardly any both reads and writes.
  let reader: NeonHttpDatabase | undefined
  let writer: NeonHttpDatabase | undefined

  const runOn =
    (connected: () => NeonHttpDatabase): Run =>
    async <const S extends readonly Statement[]>(statements: S) => {
      const connection = connected()
      const [first, ...rest] = statements.flatMap((statement) => {
        if (statement === undefined) return []
        return [statement instanceof SQL ? connection.execute(statement) : statement]
      })
      const results: unknown[] = first === undefined ? [] : await connection.batch([first, ...rest])
      const inPlace = statements.map((statement) => (statement === undefined ? undefined : results.shift()))
      // drizzle types a batch by its items; the mapped type says the same for a list with gaps and bare SQL.
      return inPlace as Results<S>
    }

  return {
    db: builder,
    read: runOn(() => (reader ??= connect(reads, timeoutMs))),
    write: runOn(() => (writer ??= connect(writes, timeoutMs))),
    async ping(milliseconds) {
      const once = connect({ readOnly: true, retries: 0, mayRetry: () => false }, milliseconds)
      await runOn(() => once)([sql`select 1`])
    },
  }
}
