import fc from 'fast-check'
import { expect, it } from 'vitest'
import { marksForAuthors, reachOf } from './receipts.ts'
import type { Change } from './room/state.ts'

const change = (userId: string, from: [number, number], to: [number, number]): Change => ({
  mark: { userId, delivered: to[0], read: to[1] },
  from: { delivered: from[0], read: from[1] },
})

it('tells each author the marks that have passed a message of theirs, and nobody else', () => {
  const written = [
    { seq: 1, author: 'ada' },
    { seq: 2, author: 'bob' },
    { seq: 4, author: 'ada' },
  ]
  const [one, two, three] = [
    change('one', [1, 1], [2, 1]),
    change('two', [4, 1], [4, 4]),
    change('three', [2, 2], [3, 3]),
  ]
  const marks = marksForAuthors([one, two, three], written)
  expect(marks).toEqual(
    new Map([
      ['ada', [two.mark]],
      ['bob', [one.mark, two.mark]],
    ]),
  )
})

it('is what looking at every message would tell', () => {
  const positions = fc
    .tuple(fc.nat(30), fc.nat(30))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  const moves = fc.array(fc.tuple(positions, positions), { maxLength: 8 })
  const authors = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 })
  fc.assert(
    fc.property(moves, authors, (moved, by) => {
      const changes = moved.map(([delivered, read], n) =>
        change(String(n), [delivered[0], read[0]], [delivered[1], read[1]]),
      )
      const written = by.map((author, n) => ({ seq: n + 1, author }))
      const passed = ({ mark, from }: Change, seq: number) =>
        (seq > from.delivered && seq <= mark.delivered) || (seq > from.read && seq <= mark.read)
      const marks = marksForAuthors(changes, written)
      for (const author of ['a', 'b', 'c']) {
        const own = written.filter((one) => one.author === author)
        const expected = changes.filter((one) => own.some(({ seq }) => passed(one, seq)))
        expect(marks.get(author) ?? []).toEqual(expected.map(({ mark }) => mark))
      }
    }),
  )
})

it('looks no further back than a thousand messages', () => {
  expect(reachOf([change('a', [10, 5], [40, 20]), change('b', [30, 30], [35, 35])])).toEqual({
    from: 5,
    to: 40,
  })
  expect(reachOf([change('a', [0, 0], [5_000, 0])])).toEqual({ from: 4_000, to: 5_000 })
})
