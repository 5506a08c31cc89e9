import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { onBothEngines, temporaryFolder } from '../test/support/engines.ts'
import { migrate, rollback } from './migrate.ts'

type Scripts = Record<string, { up: string; down?: string }>

const SCRIPTS: Scripts = {
  '0000_first': {
    up: `create table first (id int);\n--> statement-breakpoint\ninsert into first values (1); insert into first values (2);`,
    down: 'drop table first;',
  },
  '0001_second': {
    up: `create function say() returns text language plpgsql as $$ begin return 'a;b'; end $$;\n--> statement-breakpoint\n`,
    down: 'drop function say();',
  },
  '0002_third': {
    up: 'alter table first add column name text;',
    down: 'alter table first drop column name;',
  },
}

const write = async (folder: string, scripts: Scripts) => {
  await mkdir(join(folder, 'meta'), { recursive: true })
  await mkdir(join(folder, 'down'), { recursive: true })
  const entries = Object.keys(scripts).map((tag, idx) => ({
    idx,
    version: '7',
    when: idx,
    tag,
    breakpoints: true,
  }))
  await writeFile(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  )
  for (const [tag, { up, down }] of Object.entries(scripts)) {
    await writeFile(join(folder, `${tag}.sql`), up)
    if (down) await writeFile(join(folder, 'down', `${tag}.sql`), down)
  }
}

await onBothEngines('migrations', (database) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  const url = () => database().url
  const query = async (text: string) => {
    const client = new pg.Client({ connectionString: url() })
    await client.connect()
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }
  const applied = () => query('select name from migrations.applied order by name')

  beforeEach(async () => {
    folder = await temporaryFolder()
    await write(folder.path, SCRIPTS)
  })
  afterEach(async () => {
    await query('drop schema if exists migrations cascade')
    await query('drop schema public cascade; create schema public')
    await folder.remove()
  })

  it('go up, down step by step, and up again', async () => {
    expect(await migrate(url(), folder.path)).toEqual(['0000_first', '0001_second', '0002_third'])
    expect(await query('select id, name, say() from first')).toEqual([
      { id: 1, name: null, say: 'a;b' },
      { id: 2, name: null, say: 'a;b' },
    ])
    expect(await migrate(url(), folder.path)).toEqual([])

    expect(await rollback(url(), 1, folder.path)).toEqual(['0002_third'])
    expect(await rollback(url(), 9, folder.path)).toEqual(['0001_second', '0000_first'])
    expect(await rollback(url(), 1, folder.path)).toEqual([])
    expect(await query(`select to_regclass('first') as found`)).toEqual([{ found: null }])
    expect(await migrate(url(), folder.path)).toHaveLength(3)
  })

  it('leave nothing of the one that fails, and keep those before it', async () => {
    const up = `create table half (id int);\n--> statement-breakpoint\ncreate table first (id int);`
    await write(folder.path, { '0000_first': { up: 'create table first (id int);' }, '0001_broken': { up } })
    await expect(migrate(url(), folder.path)).rejects.toThrow(
      /^Migration .*0001_broken\.sql failed at statement 2: relation "first" already exists$/,
    )
    expect(await applied()).toEqual([{ name: '0000_first' }])
    expect(await query(`select to_regclass('half') as found`)).toEqual([{ found: null }])
  })

  it('name the file also when only the commit would fail', async () => {
    const up = `create table node (id int primary key, next int references node deferrable initially deferred);
      insert into node values (1, 2);`
    await write(folder.path, { '0000_dangling': { up } })
    await expect(migrate(url(), folder.path)).rejects.toThrow(
      /0000_dangling\.sql failed .*\(Key \(next\)=\(2\)/,
    )
    expect(await query(`select to_regclass('node') as found`)).toEqual([{ found: null }])
  })

  it('refuse a script that ends the transaction', async () => {
    await write(folder.path, { '0000_loose': { up: 'create table loose (id int); commit;' } })
    await expect(migrate(url(), folder.path)).rejects.toThrow(
      /0000_loose\.sql ends the transaction at statement 1/,
    )
  })

  it('are applied once when two start at the same time', async () => {
    const both = await Promise.all([migrate(url(), folder.path), migrate(url(), folder.path)])
    expect(both.flat().toSorted()).toEqual(['0000_first', '0001_second', '0002_third'])
    expect(await query('select count(*)::int as n from first')).toEqual([{ n: 2 }])
  })

  it('refuse by name one that was changed after it had been applied, but not for its line ends', async () => {
    await migrate(url(), folder.path)
    const second = SCRIPTS['0001_second']?.up ?? ''
    await writeFile(join(folder.path, '0001_second.sql'), second.replaceAll('\n', '\r\n'))
    expect(await migrate(url(), folder.path)).toEqual([])
    await writeFile(join(folder.path, '0001_second.sql'), `${second} `)
    await expect(migrate(url(), folder.path)).rejects.toThrow(
      /^Migration .*0001_second\.sql was changed after/,
    )
  })

  it('apply nothing new when an applied one was changed', async () => {
    await migrate(url(), folder.path)
    await write(folder.path, {
      ...SCRIPTS,
      '0000_first': { up: 'select 1;' },
      '0003_new': { up: 'create table new (id int);' },
    })
    await expect(migrate(url(), folder.path)).rejects.toThrow('0000_first')
    expect(await applied()).toHaveLength(3)
  })

  it('say which file is missing', async () => {
    await migrate(url(), folder.path)
    await rm(join(folder.path, 'down', '0002_third.sql'))
    await expect(rollback(url(), 1, folder.path)).rejects.toThrow(
      /^Cannot read migration .*down\/0002_third\.sql: ENOENT/,
    )
    await rm(join(folder.path, 'meta', '_journal.json'))
    await expect(migrate(url(), folder.path)).rejects.toThrow(
      /^Cannot read the list of migrations .*_journal\.json/,
    )
  })
})

describe('migrations without a database', () => {
  it('say so in one sentence without the password', async () => {
    const failed = migrate('postgres://me:geheim@127.0.0.1:1/x')
    await expect(failed).rejects.toThrow(/^Cannot reach the database to migrate it: .*ECONNREFUSED/)
    await expect(failed).rejects.not.toThrow('geheim')
  })
})
