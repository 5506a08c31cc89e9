import { neon, NeonDbError } from '@neondatabase/serverless'
import { beforeAll, expect, it } from 'vitest'
import { neonUrl, onBothEngines } from '../../test/support/engines.ts'

const SCHEMA = [
  `create table person (
     id int primary key, email text not null constraint person_email_unique unique,
     age int constraint person_age_check check (age >= 0),
     boss int constraint person_boss_fk references person)`,
  `create domain share as numeric constraint share_below_one check (value <= 1)`,
  `insert into person (id, email) values (1, 'a@b.c')`,
  `create function refuse(code text, detail text) returns void language plpgsql as $$
   begin raise exception using errcode = 'SV001', message = code, detail = detail, hint = 'Try less.'; end $$`,
  `create function ask_nonsense() returns void language plpgsql as $$ begin execute 'selec 1'; end $$`,
]

const ERRORS: [name: string, text: string, params: unknown[], fields: Partial<NeonDbError>][] = [
  [
    'a unique violation',
    `insert into person (id, email) values (2, $1)`,
    ['a@b.c'],
    {
      code: '23505',
      severity: 'ERROR',
      detail: 'Key (email)=(a@b.c) already exists.',
      schema: 'public',
      table: 'person',
      constraint: 'person_email_unique',
      message: 'duplicate key value violates unique constraint "person_email_unique"',
      routine: '_bt_check_unique',
    },
  ],
  [
    'a check violation',
    `insert into person (id, email, age) values (3, 'x', $1)`,
    [-1],
    {
      code: '23514',
      table: 'person',
      constraint: 'person_age_check',
      detail: 'Failing row contains (3, x, -1, null).',
    },
  ],
  [
    'a foreign key violation',
    `insert into person (id, email, boss) values (3, 'x', $1)`,
    [99],
    {
      code: '23503',
      constraint: 'person_boss_fk',
      detail: 'Key (boss)=(99) is not present in table "person".',
    },
  ],
  [
    'a NULL where none may be',
    `insert into person (id) values (4)`,
    [],
    { code: '23502', table: 'person', column: 'email' },
  ],
  [
    'a domain violation',
    `select $1::share`,
    ['2'],
    { code: '23514', dataType: 'share', constraint: 'share_below_one', schema: 'public' },
  ],
  ['a text that is no number', `select $1::int`, ['x'], { code: '22P02' }],
  ['a number out of range', `select $1::int`, ['99999999999'], { code: '22003' }],
  ['a NUL byte in a text', `select $1::text`, ['a\0b'], { code: '22021' }],
  ['a syntax error', `select 1 form person`, [], { code: '42601', position: '15' }],
  ['an unknown column', `select nme from person`, [], { code: '42703', position: '8' }],
  ['an unknown table', `select * from nowhere`, [], { code: '42P01', position: '15' }],
  ['several commands in one text', `select 1; select 2`, [], { code: '42601' }],
  ['a missing parameter', `select $1::int, $2::int`, [1], { code: '08P01' }],
  [
    'what plpgsql raises',
    `select refuse($1, $2)`,
    ['OUT_OF_STOCK', '[{"requested":2}]'],
    { code: 'SV001', message: 'OUT_OF_STOCK', detail: '[{"requested":2}]', hint: 'Try less.' },
  ],
  [
    'an error inside a function',
    `select ask_nonsense()`,
    [],
    { code: '42601', internalQuery: 'selec 1', internalPosition: '1' },
  ],
]

await onBothEngines('errors over HTTP', (database) => {
  beforeAll(async () => {
    const sql = neon(neonUrl(database()))
    for (const text of SCHEMA) await sql.query(text)
  })

  it.each(ERRORS)('%s keeps its fields, alone and in a batch', async (_name, text, params, fields) => {
    const sql = neon(neonUrl(database()))
    const alone = await sql.query(text, params).catch((error: unknown) => error)
    const batched = await sql
      .transaction([sql`select 1`, sql.query(text, params)])
      .catch((error: unknown) => error)
    expect(alone).toBeInstanceOf(NeonDbError)
    expect(alone).toMatchObject(fields)
    expect(batched).toMatchObject(fields)
  })

  it('tells where in a function an error arose', async () => {
    const failed = neon(neonUrl(database()))`select refuse('X', 'null')`
    await expect(failed).rejects.toMatchObject({
      where: expect.stringContaining('function refuse(text,text) line 2'),
    })
  })
})
