import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { neon } from '@neondatabase/serverless'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { neonUrl, onServer } from '../../test/support/engines.ts'
import { openDatabase } from '../database.ts'
import { listen } from './listen.ts'

/** A line to the server that can be cut. */
const startLine = async (url: string) => {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    near.pipe(far).pipe(near)
  })
  const port = await listen(server)
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  const close = async () => {
    cut()
    server.close()
    await once(server, 'close')
  }
  const line = new URL(url)
  line.hostname = '127.0.0.1'
  line.port = String(port)
  return { url: line.href, cut, mend: () => (isCut = false), close }
}

await onServer('the server behind HTTP', (database) => {
  const sql = (strings: TemplateStringsArray, ...values: unknown[]) =>
    neon(neonUrl(database()))(strings, ...values)
  const running = async (marker: string) =>
    (
      await sql`select count(*)::int as n from pg_stat_activity
                where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid() and query like ${`%${marker}%`}`
    )[0]?.['n']

  it('ends a query on the server when its client goes away', async () => {
    const gone = new AbortController()
    const fetchOptions = { signal: gone.signal }
    const abandoned = neon(neonUrl(database())).query('select pg_sleep(600) as alone', [], { fetchOptions })
    const outcome = expect(abandoned).rejects.toThrow('aborted')
    await expect.poll(() => running('as alone'), { timeout: 10_000 }).toBe(1)
    gone.abort()
    await outcome
    await expect.poll(() => running('as alone'), { timeout: 10_000 }).toBe(0)
  })

  it('undoes a batch whose client goes away', async () => {
    await sql`create table abandoned (id int)`
    const gone = new AbortController()
    const client = neon(neonUrl(database()))
    const batch = client.transaction(
      (tx) => [tx`insert into abandoned values (1)`, tx`select pg_sleep(600) as batched`, tx`select 1`],
      { fetchOptions: { signal: gone.signal } },
    )
    const outcome = expect(batch).rejects.toThrow('aborted')
    await expect.poll(() => running('as batched'), { timeout: 10_000 }).toBe(1)
    gone.abort()
    await outcome
    await expect.poll(() => running('as batched'), { timeout: 10_000 }).toBe(0)
    expect(await sql`select * from abandoned`).toEqual([])
  })

  it('frees all connections after many clients went away, also of those who still waited', async () => {
    const gone = new AbortController()
    const client = neon(neonUrl(database()))
    const fetchOptions = { signal: gone.signal }
    const abandoned = Array.from({ length: 40 }, () =>
      client.query('select pg_sleep(600) as many', [], { fetchOptions }),
    )
    const outcomes = Promise.allSettled(abandoned)
    await expect.poll(() => countOfServer(), { timeout: 10_000 }).toBe(24)
    gone.abort()
    await outcomes
    await expect.poll(() => running('as many'), { timeout: 10_000 }).toBe(0)
    expect(await Promise.all(Array.from({ length: 40 }, () => sql`select 1 as one`))).toHaveLength(40)
  })

  // Not over HTTP: there every connection is taken.
  const countOfServer = async () => {
    const client = new pg.Client({ connectionString: database().url })
    await client.connect()
    const { rows } = await client.query(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(600) as many'`,
    )
    await client.end()
    return rows[0]?.n
  }

  it('lets more requests than connections wait in line', async () => {
    const counts = await Promise.all(
      Array.from(
        { length: 60 },
        () => sql`select (select count(*)::int from pg_stat_activity
                           where datname = current_database() and query like '%as at_once%') as at_once,
                         pg_sleep(0.05)`,
      ),
    )
    const highest = Math.max(...counts.map(([row]) => Number(row?.['at_once'])))
    expect(highest).toBeGreaterThan(10)
    expect(highest).toBeLessThanOrEqual(24)
  })

  it('leaves no connection in a transaction that a request began', async () => {
    await Promise.all(Array.from({ length: 30 }, () => sql`begin`))
    // A connection is ended behind the answer.
    const idle = () => sql`select count(*)::int as n from pg_stat_activity
                           where datname = current_database() and state like 'idle in transaction%'`
    await expect.poll(idle, { timeout: 10_000 }).toEqual([{ n: 0 }])
  })

  it('answers 503 when the connections break, and recovers with the server', async () => {
    const line = await startLine(database().url)
    const log: string[] = []
    const cut = await openDatabase({ databaseUrl: line.url, dataDir: '', log: (text) => log.push(text) })
    const client = neon(neonUrl(cut))
    const sleeping = client`select pg_sleep(600) as cut_off`
    const outcome = expect(sleeping).rejects.toThrow(/HTTP status 503/)
    await expect.poll(() => running('as cut_off'), { timeout: 10_000 }).toBe(1)
    await client`select 1`
    line.cut()
    await outcome
    await expect(client`select 1`).rejects.toThrow(/HTTP status 503/)
    expect(log.join('\n')).toContain('Connection terminated')
    line.mend()
    expect(await client`select 1 as one`).toEqual([{ one: 1 }])
    await cut.close()
    await line.close()
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
              where query like '%as cut_off%' and pid <> pg_backend_pid()`
  })

  it('waits for locks in truth: two batches on one row come one after the other', async () => {
    await sql`create table stock (id int primary key, units int check (units >= 0))`
    await sql`insert into stock values (1, 10)`
    const client = neon(neonUrl(database()))
    const buy = () =>
      client.transaction((tx) => [tx`update stock set units = units - 1 where id = 1 returning units`])
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, buy))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    expect(await sql`select units from stock`).toEqual([{ units: 0 }])
  })
})

describe('a server that is not there', () => {
  it('is refused in one sentence without the password', async () => {
    const opened = openDatabase({ databaseUrl: 'postgres://me:geheim@127.0.0.1:1/x', dataDir: '' })
    await expect(opened).rejects.toThrow(
      /^Cannot reach the PostgreSQL server of DATABASE_URL: .*ECONNREFUSED/,
    )
    await expect(opened).rejects.not.toThrow('geheim')
  })
})
