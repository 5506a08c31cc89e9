import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { neon } from '@neondatabase/serverless'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../database.ts'
import { neonUrl, onEmbedded, temporaryFolder } from '../../test/support/engines.ts'
import { openPglite } from './pglite.ts'

const connectTo = async (url: string) => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

const once = (query: string) => ({ statements: [{ query, params: [] }], transaction: undefined })
const stays = () => new AbortController().signal

onEmbedded('TCP beside HTTP', (database) => {
  const connect = () => connectTo(database().url)
  const sql = (strings: TemplateStringsArray, ...values: unknown[]) =>
    neon(neonUrl(database()))(strings, ...values)

  beforeAll(async () => {
    await sql`create table shared (id int primary key)`
  })

  it('shows each what the other wrote', async () => {
    const client = await connect()
    await client.query('insert into shared values (1)')
    expect(await sql`delete from shared where id = 1 returning id`).toEqual([{ id: 1 }])
    expect((await client.query('select * from shared')).rows).toEqual([])
    await client.end()
  })

  it('keeps HTTP out of an open transaction until it ends', async () => {
    const client = await connect()
    await client.query('begin')
    await client.query('insert into shared values (1)')
    // The driver sends a query when somebody awaits it.
    const count = sql`select count(*) filter (where id < 3)::int as n from shared`.then((rows) => rows)
    const batch = neon(neonUrl(database())).transaction((tx) => [tx`insert into shared values (3)`])
    await client.query('insert into shared values (2)')
    expect((await client.query('select count(*)::int as n from shared')).rows).toEqual([{ n: 2 }])
    await client.query('rollback')
    expect(await count).toEqual([{ n: 0 }])
    await batch
    expect(await sql`delete from shared returning id`).toEqual([{ id: 3 }])
    await client.end()
  })

  it('undoes the transaction of a client that goes away', async () => {
    const client = await connect()
    await client.query('begin')
    await client.query('insert into shared values (1)')
    await client.end()
    expect(await sql`select * from shared`).toEqual([])
  })

  it('gives every client its turn', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, connect))
    const work = clients.map(async (client, index) => {
      for (let turn = 0; turn < 25; turn += 1) {
        const { rows } = await client.query('select $1::int as client, $2::int as turn', [index, turn])
        expect(rows).toEqual([{ client: index, turn }])
      }
    })
    const web = Array.from({ length: 100 }, (_, index) => sql`select ${index}::int as index`)
    await Promise.all(work)
    expect(await Promise.all(web)).toEqual(web.map((_, index) => [{ index }]))
    await Promise.all(clients.map((client) => client.end()))
  })

  it('keeps the settings of clients apart', async () => {
    const [one, two] = [await connect(), await connect()]
    await one.query(`set search_path = pg_catalog; set application_name = 'it''s one'`)
    const shown = `select current_setting('search_path') as path, current_setting('application_name') as name`
    expect((await two.query(shown)).rows).toEqual([{ path: 'public', name: '' }])
    expect((await sql`show search_path`)[0]).toEqual({ search_path: 'public' })
    expect((await one.query(shown)).rows).toEqual([{ path: 'pg_catalog', name: "it's one" }])
    await one.end()
    expect((await two.query(shown)).rows).toEqual([{ path: 'public', name: '' }])
    await two.end()
  })

  it('forgets the prepared statements and temporary tables of a client that left', async () => {
    const leaveThings = async () => {
      const client = await connect()
      await client.query('prepare mine as select 1; create temp table draft (id int)')
      await client.end()
    }
    await leaveThings()
    await leaveThings()
    expect(await sql`select to_regclass('draft') as found`).toEqual([{ found: null }])
  })

  it('goes on after errors in either protocol', async () => {
    const client = await connect()
    await expect(client.query('selec 1')).rejects.toMatchObject({ code: '42601' })
    await expect(client.query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' })
    await expect(client.query('copy shared from stdin')).rejects.toMatchObject({ code: '0A000' })
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
  })

  it('refuses endless recursion and lives', async () => {
    await sql`create function forever(i int) returns int language plpgsql as $$ begin return forever(i + 1); end $$`
    await expect(sql`select forever(1)`).rejects.toMatchObject({ code: '54001' })
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })

  it('has pg_trgm', async () => {
    await sql`create extension pg_trgm`
    expect(await sql`select similarity('selvedge', 'salvedge') > 0.4 as alike`).toEqual([{ alike: true }])
  })

  it('drops a client that does not speak the protocol', async () => {
    await expect(fetch(database().url.replace(/^.*@/, 'http://'))).rejects.toThrow('fetch failed')
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })
})

describe('the embedded database in its folder', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    folder = await temporaryFolder()
  })
  afterAll(() => folder.remove())

  it('keeps its data across close and open', async () => {
    const dataDir = join(folder.path, 'kept', 'deep')
    const first = await openDatabase({ dataDir })
    expect(first.kind).toBe('pglite')
    await neon(neonUrl(first))`create table kept as select 'ü' as letter`
    await first.close()
    const second = await openDatabase({ dataDir })
    expect(await neon(neonUrl(second))`select * from kept`).toEqual([{ letter: 'ü' }])
    await second.close()
  })

  it('says in one sentence when the folder cannot be used', async () => {
    await expect(openDatabase({ dataDir: '/dev/null/database' })).rejects.toThrow('/dev/null/database')
  })

  it('ends a client that sits idle in a transaction when another waits', async () => {
    const { url, engine } = await openPglite({
      dataDir: join(folder.path, 'idle'),
      log: () => undefined,
      idleMs: 50,
    })
    const sitting = await connectTo(url)
    const ended = new Promise<unknown>((resolve) => sitting.on('error', resolve))
    await sitting.query('begin; create table draft (id int)')
    const [result] = await engine.run(once(`select to_regclass('draft')`), stays())
    expect(result?.rows).toEqual([[null]])
    expect(await ended).toMatchObject({ code: '25P03' })
    await engine.close()
  })

  it('starts again, with its data, when the server breaks', async () => {
    const dataDir = join(folder.path, 'broken')
    const control = join(dataDir, 'global', 'pg_control')
    const log: string[] = []
    const { engine } = await openPglite({ dataDir, log: (line) => log.push(line) })
    await engine.run(once('create table kept as select 1 as one'), stays())
    await rename(control, `${control}.away`)
    await expect(engine.run(once('checkpoint'), stays())).rejects.toThrow('Connection terminated')
    await rename(`${control}.away`, control)
    await expect
      .poll(() => engine.run(once('select * from kept'), stays()).catch(() => []), { timeout: 20_000 })
      .toMatchObject([{ rows: [['1']] }])
    expect(log.join('\n')).toContain('pg_control')
    await engine.close()
  })

  it('closes although a client is connected and a query runs', async () => {
    const database = await openDatabase({ dataDir: join(folder.path, 'busy') })
    const client = await connectTo(database.url)
    const running = client.query('select pg_sleep(0.3)').catch(() => 'dropped')
    await client.query('select 1').catch(() => undefined)
    await database.close()
    await running
    await expect(fetch(database.fetchEndpoint)).rejects.toThrow('fetch failed')
    await expect(connectTo(database.url)).rejects.toThrow('ECONNREFUSED')
  })
})
