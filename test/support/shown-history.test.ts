import { expect, it } from 'vitest'
import { judgeHistory } from './shown-history.ts'

const at = (...seqs: number[]) => seqs.map((seq) => ({ seq, id: `id-${seq}`, content: `m${seq}` }))
const log = at(1, 2, 3)
const sent = [['m1', 'm3'], ['m2']]

it('finds nothing wrong with a good history', () => {
  expect(judgeHistory(at(1, 2, 3), log, sent)).toEqual([])
})

it.each([
  ['a gap', at(1, 3), log, sent, 'm2 is not shown'],
  ['a loss at the end', at(1, 2), log, sent, 'm3 is not shown'],
  ['a repetition', at(1, 2, 2, 3), log, sent, 'm2 is shown twice'],
  ['another order', at(1, 3, 2), log, sent, 'm2 is shown after m3'],
  [
    'an acknowledged message that the room lacks',
    at(1, 2),
    at(1, 2),
    sent,
    'm3 was acknowledged and is lost',
  ],
  [
    'one that is stored twice',
    at(1, 2, 3, 4),
    [...log, { seq: 4, id: 'id-4', content: 'm1' }],
    sent,
    'm1 is stored twice',
  ],
  ['one that overtook another', at(1, 2, 3), log, [['m3', 'm1']], 'm1 overtook the one before it'],
])('finds %s', (_, shown, stored, acknowledged, problem) => {
  expect(judgeHistory(shown, stored, acknowledged)).toContain(problem)
})
