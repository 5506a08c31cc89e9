import fc from 'fast-check'
import { expect, it } from 'vitest'
import { VersionedMap } from './versioned-map.ts'

const changes = fc.array(
  fc.record({
    /** Which of the versions made so far is changed: mostly the newest. */
    back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
    key: fc.nat(6),
    value: fc.option(fc.nat(100), { nil: undefined }),
    removes: fc.boolean(),
    reads: fc.boolean(),
  }),
  { maxLength: 60 },
)

it('is, in every version that was ever made, what a copied Map would be', () => {
  fc.assert(
    fc.property(changes, (all) => {
      const made = [{ map: VersionedMap.of<number, number | undefined>([[1, 1]]), model: new Map<number, number | undefined>([[1, 1]]) }] // prettier-ignore
      for (const { back, key, value, removes, reads } of all) {
        const from = made.at(-1 - (back % made.length))!
        if (reads) expect([...from.map].toSorted()).toEqual([...from.model].toSorted())
        const model = new Map(from.model)
        if (removes) model.delete(key)
        else model.set(key, value)
        made.push({ map: removes ? from.map.delete(key) : from.map.set(key, value), model })
      }
      for (const { map, model } of made) {
        for (let key = 0; key <= 6; key++) {
          expect([map.has(key), map.get(key)]).toEqual([model.has(key), model.get(key)])
        }
      }
      for (const { map, model } of made.toReversed()) {
        expect(map.size).toBe(model.size)
        expect(new Map(map)).toEqual(model)
        expect([...map.keys()].length).toBe([...map.values()].length)
      }
    }),
    { numRuns: 1_000 },
  )
})

it('is not changed under somebody who walks through it', () => {
  const map = VersionedMap.of([
    ['a', 1],
    ['b', 2],
  ])
  const seen: string[] = []
  for (const [key] of map) {
    seen.push(key)
    map.delete('b').set('c', 3)
  }
  expect(seen).toEqual(['a', 'b'])
})

it('answers itself when there is nothing to delete', () => {
  const map = VersionedMap.of([['a', 1]])
  expect(map.delete('b')).toBe(map)
})
