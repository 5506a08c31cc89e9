import fc from 'fast-check'
import { expect, it } from 'vitest'
import { csvPage, type OrderRow } from './csv.ts'

const row = (customer: string): OrderRow => ({
  ...{ id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14', createdAt: '2026-11-19T12:00:00.000Z', status: 'paid' },
  ...{ customer, email: 'ada@people.example', lines: 1, units: 2, total: '159.80' },
})

/** Cells as a spreadsheet reads them (RFC 4180). */
const cellsOf = (csv: string): string[] =>
  [...csv.replace(/\r\n$/, '').matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].flatMap(([whole, cell = '']) =>
    whole === '' ? [] : [cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell],
  )

it('begins with a byte order mark and the head, once', () => {
  expect(csvPage([], { first: true })).toBe(
    '\uFEFFOrder,Placed at (UTC),Status,Customer,E-mail,Lines,Units,Total\r\n',
  )
  expect(csvPage([], { first: false })).toBe('')
  expect(csvPage([row('Ada')], { first: false })).toBe(
    '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14,2026-11-19T12:00:00.000Z,paid,Ada,ada@people.example,1,2,159.80\r\n',
  )
})

it.each(['=1', '+1', '-1', '@a', '\ta', '\ra', '\uFF1D1', '\uFF0B1', '\uFF0D1', '\uFF201'])(
  'puts an apostrophe before %j, which a spreadsheet would compute',
  (name) => {
    expect(cellsOf(csvPage([row(name)], { first: false }))[3]).toBe(`'${name}`)
  },
)

it('keeps any other name as it is, and in its cell', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (name) => {
      fc.pre(name.isWellFormed() && !/^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(name))
      const cells = cellsOf(csvPage([row(name)], { first: false }))
      expect([cells.length, cells[3]]).toEqual([8, name])
    }),
  )
})
