import { expect, it } from 'vitest'
import { createBoundedMap } from './bounded-map.ts'

it('forgets what was set longest ago', () => {
  const map = createBoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4])
  expect([map.delete('a'), map.delete('a'), map.get('a')]).toEqual([true, false, undefined])
})
