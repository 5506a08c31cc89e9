import { neon } from '@neondatabase/serverless'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import { neonUrl, onBothEngines } from '../../test/support/engines.ts'

await onBothEngines('batches over HTTP', (database) => {
  const connect = () => neon(neonUrl(database()))
  const count = async () => (await connect()`select count(*)::int as n from item`)[0]?.['n']

  beforeAll(async () => {
    await connect()`create table item (id int primary key, parent int references item deferrable initially deferred)`
  })
  beforeEach(async () => {
    await connect()`truncate item`
  })

  it('answers each statement in order and commits them together', async () => {
    const sql = connect()
    const results = await sql.transaction([
      sql`insert into item (id) values (${1}), (${2})`,
      sql`select count(*)::int as n from item`,
      sql`update item set id = id + 10 returning id`,
      sql`select pg_current_xact_id()::text as xact`,
      sql`select pg_current_xact_id()::text as xact`,
    ])
    expect(results.slice(0, 3)).toEqual([[], [{ n: 2 }], [{ id: 11 }, { id: 12 }]])
    expect(results[3]).toEqual(results[4])
    expect(await count()).toBe(2)
  })

  it('leaves nothing when a statement fails, whatever stands before or behind it', async () => {
    const sql = connect()
    const batch = sql.transaction([
      sql`insert into item (id) values (1)`,
      sql`insert into item (id) values (1)`,
      sql`insert into item (id) values (2)`,
    ])
    await expect(batch).rejects.toMatchObject({ code: '23505', constraint: 'item_pkey' })
    expect(await count()).toBe(0)
  })

  it('reports what fails only at the commit', async () => {
    const sql = connect()
    const batch = sql.transaction([sql`insert into item (id, parent) values (1, 99)`, sql`select 1`])
    await expect(batch).rejects.toMatchObject({ code: '23503', constraint: 'item_parent_fkey' })
    expect(await count()).toBe(0)
  })

  it('reports the first error of a batch, with its own fields', async () => {
    const sql = connect()
    const batch = sql.transaction([sql`select 1`, sql`select ${'x'}::int`, sql`select 1 / 0`])
    await expect(batch).rejects.toMatchObject({ code: '22P02' })
  })

  it('takes an empty batch', async () => {
    expect(await connect().transaction([])).toEqual([])
  })

  it.each([
    ['ReadUncommitted', 'read uncommitted'],
    ['ReadCommitted', 'read committed'],
    ['RepeatableRead', 'repeatable read'],
    ['Serializable', 'serializable'],
  ] as const)('runs at the isolation level %s', async (isolationLevel, shown) => {
    const sql = connect()
    const [rows] = await sql.transaction([sql`show transaction_isolation`], { isolationLevel })
    expect(rows).toEqual([{ transaction_isolation: shown }])
  })

  it('runs as read only and deferrable when asked, and only then', async () => {
    const sql = connect()
    const modes = [sql`show transaction_read_only`, sql`show transaction_deferrable`]
    const asked = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const
    expect(await sql.transaction(modes, asked)).toEqual([
      [{ transaction_read_only: 'on' }],
      [{ transaction_deferrable: 'on' }],
    ])
    expect(await sql.transaction(modes, { readOnly: false, deferrable: false })).toEqual([
      [{ transaction_read_only: 'off' }],
      [{ transaction_deferrable: 'off' }],
    ])
  })

  it('refuses a write in a read-only batch', async () => {
    const sql = connect()
    const batch = sql.transaction([sql`insert into item (id) values (1)`], { readOnly: true })
    await expect(batch).rejects.toMatchObject({ code: '25006' })
    expect(await count()).toBe(0)
  })

  it('never shows one request what another set or left open', async () => {
    const sql = connect()
    await sql`set search_path = nowhere`
    await sql.transaction([sql`set timezone = 'Asia/Tokyo'`])
    await sql`begin`
    await sql`insert into item (id) values (1)`
    await expect(sql`select 1 / 0`).rejects.toMatchObject({ code: '22012' })
    const [row] = await sql`select current_setting('TimeZone') as zone, to_regclass('item')::text as found`
    expect(row).toEqual({ zone: 'UTC', found: 'item' })
    expect(await count()).toBe(1)
  })

  it('serves batches and single queries at once, each batch whole', async () => {
    const sql = connect()
    const batches = Array.from({ length: 15 }, (_, index) =>
      sql.transaction([
        sql`insert into item (id) values (${index * 2})`,
        sql`select pg_sleep(0.01)`,
        sql`insert into item (id) values (${index * 2 + 1})`,
      ]),
    )
    const counts = Array.from({ length: 15 }, () => count())
    await Promise.all(batches)
    for (const seen of await Promise.all(counts)) expect(Number(seen) % 2).toBe(0)
    expect(await count()).toBe(30)
  })
})
