import { describe, expect, it } from 'vitest'
import { wrongHistories, type Heard } from './chat-history.ts'

const events = Array.from({ length: 6 }, (_, n) => ({ seq: n + 1, id: `m${n + 1}` }))
const promised = events.map(({ seq, id }) => ({ room: 'r', clientId: `c${seq}`, id, seq }))
const heads = new Map([['r', 6]])
const good: Heard = { client: 'ada', room: 'r', events }

const kindsOf = (heard: Heard[], acks = promised): string[] => [
  ...new Set(wrongHistories(heard, acks, heads).map(({ kind }) => kind)),
]

const without = (n: number) => events.toSpliced(n, 1)

describe('the checker of histories', () => {
  it('has nothing against a good one, and none against a repeated ack', () => {
    expect(kindsOf([good, { ...good, client: 'bob' }], [...promised, ...promised])).toEqual([])
  })

  it.each([
    ['a lost message at the end', without(5), ['lost']],
    ['a lost message in the middle', without(2), ['gap', 'lost']],
    ['a duplicate', [...events.slice(0, 3), ...events.slice(2)], ['duplicated']],
    [
      'an inversion',
      [...events.slice(0, 2), ...events.slice(3, 4), ...events.slice(2, 3), ...events.slice(4)],
      ['gap', 'reordered'],
    ],
    ['another message in its place', [...events.slice(0, 5), { seq: 6, id: 'other' }], ['lost']],
    [
      'another place for the message',
      [...events.slice(0, 4), { seq: 5, id: 'm6' }, { seq: 6, id: 'm5' }],
      ['changed'],
    ],
    ['nothing at all', [], ['lost']],
  ])('finds %s', (_, bad, kinds) => {
    expect(kindsOf([good, { client: 'bob', room: 'r', events: bad }])).toEqual(kinds)
  })

  it('finds a message that is acknowledged as two', () => {
    expect(kindsOf([good], [...promised, { room: 'r', clientId: 'c1', id: 'm2', seq: 2 }])).toEqual([
      'changed',
    ])
  })
})
