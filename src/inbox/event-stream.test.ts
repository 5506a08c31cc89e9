import { expect, it } from 'vitest'
import { positionOf } from './event-stream.ts'

it.each([
  [undefined, undefined],
  ['', undefined],
  ['01a2-b.7', { epoch: '01a2-b', seq: 7 }],
])('the last event %s is the position %o', (lastEventId, position) => {
  expect(positionOf(lastEventId)).toEqual(position)
})

it.each(['garbage', '7', 'a.b', 'a.-1', 'a.1234567890123456', 'ä.1'])(
  'a last event that is none of ours, %s, is a position that no inbox has',
  (lastEventId) => {
    expect(positionOf(lastEventId)).toEqual({ epoch: 'nowhere', seq: 1 })
  },
)
