import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase, type LocalDatabase } from '../../dev/database.ts'
import { migrate, rollback } from '../../dev/migrate.ts'
import { projectRoot } from '../support/stack.ts'

/** Everything that a migration can make in the public schema, as text that two databases can be compared by. */
const schemaQueries = [
  `select table_name, column_name, data_type, is_nullable, column_default, generation_expression
   from information_schema.columns where table_schema = 'public' order by 1, 2`,
  `select tablename, indexdef from pg_indexes where schemaname = 'public' order by 1, 2`,
  `select conrelid::regclass::text as on_table, conname, pg_get_constraintdef(oid) as definition
   from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2`,
  `select proname, pg_get_functiondef(pg_proc.oid) as definition from pg_proc
   left join pg_depend on pg_depend.objid = pg_proc.oid and deptype = 'e'
   where pronamespace = 'public'::regnamespace and deptype is null order by 1`,
  `select extname from pg_extension order by 1`,
]

const migrations = readdirSync(join(projectRoot, 'migrations')).filter((name) => name.endsWith('.sql'))

describe('the migrations', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'selvedge-migrations-'))
  let database: LocalDatabase
  let client: pg.Client
  const schema = async () => {
    const results = []
    for (const query of schemaQueries) results.push((await client.query(query)).rows)
    return results
  }
  beforeAll(async () => {
    database = await openDatabase({ dataDir })
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await database.close()
    rmSync(dataDir, { recursive: true })
  })

  it('each have a way down', () => {
    expect(readdirSync(join(projectRoot, 'migrations/down')).toSorted()).toEqual(migrations.toSorted())
  })

  it('walk up, down and up again to the same schema, and down leaves nothing', async () => {
    const empty = await schema()
    expect(await migrate(database.url)).toHaveLength(migrations.length)
    const first = await schema()
    expect(first[0]?.length).toBeGreaterThan(40)
    expect(await rollback(database.url, migrations.length)).toHaveLength(migrations.length)
    expect(await schema()).toEqual(empty)
    await migrate(database.url)
    expect(await schema()).toEqual(first)
  })
})
