import { neon } from '@neondatabase/serverless'
import { expect, it } from 'vitest'
import { neonUrl, onBothEngines } from '../../test/support/engines.ts'

const asPrinted = { getTypeParser: () => (value: string) => value }

const PRINTED: [type: string, expression: string, printed: string | null][] = [
  ['smallint', `'-32768'::int2`, '-32768'],
  ['integer', `2147483647::int4`, '2147483647'],
  ['bigint', `9223372036854775807::int8`, '9223372036854775807'],
  ['numeric', `12345678901234567890.0123456789::numeric`, '12345678901234567890.0123456789'],
  ['numeric with scale', `5::numeric(12, 2)`, '5.00'],
  ['numeric NaN', `'NaN'::numeric`, 'NaN'],
  ['double precision', `0.1::float8 + 0.2::float8`, '0.30000000000000004'],
  ['text', `'Grüße, 世界 🙂 \\ "q" ''a'''`, `Grüße, 世界 🙂 \\ "q" 'a'`],
  ['empty text', `''`, ''],
  ['char(4)', `'ab'::char(4)`, 'ab  '],
  ['true', `true`, 't'],
  ['false', `false`, 'f'],
  ['NULL', `null::int`, null],
  ['bytea', `'\\x00ff10'::bytea`, '\\x00ff10'],
  ['date', `'2026-02-28'::date`, '2026-02-28'],
  ['time', `'04:05:06.7'::time`, '04:05:06.7'],
  ['timestamp', `'2026-02-28 12:34:56.789'::timestamp`, '2026-02-28 12:34:56.789'],
  ['timestamptz', `'2026-02-28 12:34:56.789+02'::timestamptz`, '2026-02-28 10:34:56.789+00'],
  ['infinity', `'infinity'::timestamptz`, 'infinity'],
  ['interval', `'1 year 2 mons 3 days 04:05:06.5'::interval`, '1 year 2 mons 3 days 04:05:06.5'],
  ['integer[]', `array[1, null, 3]`, '{1,NULL,3}'],
  ['integer[][]', `array[[1, 2], [3, 4]]`, '{{1,2},{3,4}}'],
  ['text[]', `array['a', 'b c', 'q"x', 'NULL', null, '']`, '{a,"b c","q\\"x","NULL",NULL,""}'],
  ['timestamptz[]', `array['2026-01-01 00:00+00'::timestamptz]`, '{"2026-01-01 00:00:00+00"}'],
  ['json', `'{"b": 1,  "a":[1, 2]}'::json`, '{"b": 1,  "a":[1, 2]}'],
  ['jsonb', `'{"b": 1,  "a":[1, 2]}'::jsonb`, '{"a": [1, 2], "b": 1}'],
  ['uuid', `'019A0000-0000-7000-8000-000000000001'::uuid`, '019a0000-0000-7000-8000-000000000001'],
  ['inet', `'10.0.0.1/8'::inet`, '10.0.0.1/8'],
  ['record', `row(1, 'a b', null)`, '(1,"a b",)'],
]

const PARAMETERS: [kind: string, type: string, value: unknown, expected: unknown][] = [
  ['a number', 'int', 7, 7],
  ['a bigint', 'bigint', 9223372036854775807n, '9223372036854775807'],
  ['a decimal string', 'numeric', '19.90', '19.90'],
  ['text', 'text', `Grüße 🙂 ' " \\ $1`, `Grüße 🙂 ' " \\ $1`],
  ['a boolean', 'boolean', true, true],
  ['null', 'text', null, null],
  ['a Date', 'timestamptz', new Date('2026-02-28T12:34:56.789Z'), new Date('2026-02-28T12:34:56.789Z')],
  ['bytes', 'bytea', Buffer.from([0, 255, 16]), Buffer.from([0, 255, 16])],
  ['an array', 'int[]', [1, null, 3], [1, null, 3]],
  ['an array of texts', 'text[]', ['a,b', 'q"x', 'NULL'], ['a,b', 'q"x', 'NULL']],
  [
    'a nested array',
    'int[]',
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['an object', 'jsonb', { a: [1, { b: null }] }, { a: [1, { b: null }] }],
  ['a uuid', 'uuid', '019a0000-0000-7000-8000-000000000001', '019a0000-0000-7000-8000-000000000001'],
]

await onBothEngines('values over HTTP', (database) => {
  it.each(PRINTED)('%s arrives as PostgreSQL prints it', async (_type, expression, printed) => {
    const sql = neon(neonUrl(database()))
    const [row] = await sql.query(`select ${expression} as value`, [], { types: asPrinted })
    expect(row).toEqual({ value: printed })
  })

  it.each(PARAMETERS)('%s goes in as a parameter and comes back', async (_kind, type, value, expected) => {
    const sql = neon(neonUrl(database()))
    const [row] = await sql.query(`select $1::${type} as value`, [value])
    expect(row).toEqual({ value: expected })
  })

  it('gives rows as objects or arrays, and the full result with its fields', async () => {
    const text = `select * from (values (1, 'a'), (2, null)) as pair (number, letter)`
    const objects = await neon(neonUrl(database())).query(text)
    const arrays = await neon(neonUrl(database()), { arrayMode: true }).query(text)
    const full = await neon(neonUrl(database()), { fullResults: true }).query(text)

    expect(objects).toEqual([
      { number: 1, letter: 'a' },
      { number: 2, letter: null },
    ])
    expect(arrays).toEqual([
      [1, 'a'],
      [2, null],
    ])
    expect(full).toMatchObject({ command: 'SELECT', rowCount: 2, rows: objects, rowAsArray: false })
    expect(full.fields).toMatchObject([
      { name: 'number', dataTypeID: 23, dataTypeSize: 4, format: 'text' },
      { name: 'letter', dataTypeID: 25 },
    ])
  })

  it('tells a table and column of a field, and two columns of one name apart', async () => {
    const sql = neon(neonUrl(database()), { fullResults: true, arrayMode: true })
    await sql`create table field_origin (id int)`
    const result = await sql`select id, id + 1 as id from field_origin`
    expect(result).toMatchObject({ rows: [], rowCount: 0, command: 'SELECT' })
    expect(result.fields.map(({ tableID, columnID }) => [tableID > 0, columnID])).toEqual([
      [true, 1],
      [false, 0],
    ])
  })

  it('answers commands without rows, and a text without a command', async () => {
    const sql = neon(neonUrl(database()), { fullResults: true })
    expect(await sql`create table no_rows (id int)`).toMatchObject({
      command: 'CREATE',
      rowCount: null,
      fields: [],
    })
    expect(await sql`insert into no_rows values (1), (2)`).toMatchObject({
      command: 'INSERT',
      rowCount: 2,
      rows: [],
    })
    expect(await sql`update no_rows set id = 3 where id = 9`).toMatchObject({
      command: 'UPDATE',
      rowCount: 0,
    })
    expect(await sql.query('')).toMatchObject({ rows: [], fields: [] })
  })

  it('carries a parameter and a result of 5 MB', async () => {
    const sql = neon(neonUrl(database()))
    const large = 'ü🙂x'.repeat(700_000)
    const [row] = await sql`select ${large}::text as value, octet_length(${large}::text) as size`
    expect(row).toEqual({ value: large, size: 4_900_000 })
  })

  it('answers 50,000 rows', async () => {
    const rows = await neon(
      neonUrl(database()),
    )`select i, 'row ' || i as label from generate_series(1, 50000) i`
    expect(rows).toHaveLength(50_000)
    expect(rows.at(-1)).toEqual({ i: 50_000, label: 'row 50000' })
  })

  it('answers 30 queries at once, each its own', async () => {
    const sql = neon(neonUrl(database()))
    const numbers = Array.from({ length: 30 }, (_, index) => index)
    const answers = await Promise.all(numbers.map((number) => sql`select ${number}::int as number`))
    expect(answers).toEqual(numbers.map((number) => [{ number }]))
  })
})
