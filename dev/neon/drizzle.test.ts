import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import { customType, integer, jsonb, numeric, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { beforeAll, expect, it } from 'vitest'
import { neonUrl, onBothEngines } from '../../test/support/engines.ts'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

const things = pgTable('thing', {
  id: uuid().primaryKey(),
  name: text().notNull().unique(),
  price: numeric({ precision: 12, scale: 2 }).notNull(),
  tags: text().array().notNull(),
  grid: integer().array().array(),
  body: jsonb().$type<{ a: number[] }>(),
  bytes: bytea(),
  at: timestamp({ withTimezone: true, precision: 3 }).notNull(),
})

const thing = (id: number) => ({
  id: `019a0000-0000-7000-8000-00000000000${id}`,
  name: `Ding 🙂 ${id}`,
  price: '19.90',
  tags: ['a b', 'q"x'],
  grid: [
    [1, 2],
    [3, 4],
  ],
  body: { a: [1] },
  bytes: Buffer.from([0, 255]),
  at: new Date('2026-02-28T12:34:56.789Z'),
})

await onBothEngines('drizzle over HTTP', (database) => {
  const connect = () => drizzle(neonUrl(database()))

  beforeAll(() =>
    connect().execute(sql`create table thing (
      id uuid primary key, name text not null constraint thing_name_unique unique, price numeric(12, 2) not null,
      tags text[] not null, grid int[][], body jsonb, bytes bytea, at timestamptz(3) not null)`),
  )

  it('writes and reads every column as it is declared', async () => {
    const db = connect()
    const [written] = await db.insert(things).values(thing(1)).returning()
    expect(written).toEqual(thing(1))
    expect(await db.select().from(things).where(eq(things.name, 'Ding 🙂 1'))).toEqual([thing(1)])
    expect(await db.select().from(things).where(eq(things.name, 'nobody'))).toEqual([])
  })

  it('runs a batch of select, insert and execute as one transaction', async () => {
    const db = connect()
    const [before, written, executed, after] = await db.batch([
      db.select({ n: sql<number>`count(*)::int` }).from(things),
      db.insert(things).values(thing(2)).returning({ id: things.id }),
      db.execute(sql`select ${'x'}::text as letter`),
      db.select({ n: sql<number>`count(*)::int` }).from(things),
    ])
    expect(written).toEqual([{ id: thing(2).id }])
    expect(executed.rows).toEqual([{ letter: 'x' }])
    expect(Number(after[0]?.n) - Number(before[0]?.n)).toBe(1)
  })

  it('undoes a batch that fails, and the error keeps its fields', async () => {
    const db = connect()
    const batch = db.batch([db.insert(things).values(thing(3)), db.insert(things).values(thing(3))])
    await expect(batch).rejects.toMatchObject({ code: '23505', constraint: 'thing_pkey' })
    expect(
      await db
        .select()
        .from(things)
        .where(eq(things.id, thing(3).id)),
    ).toEqual([])
  })

  it('gives the driver’s error as the cause of a single query’s', async () => {
    const db = connect()
    await db.insert(things).values(thing(4))
    const failed = db.insert(things).values({ ...thing(5), name: thing(4).name })
    await expect(failed).rejects.toMatchObject({ cause: { code: '23505', constraint: 'thing_name_unique' } })
  })
})
