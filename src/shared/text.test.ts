import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findUnstorableText } from './text.ts'

const nul = String.fromCharCode(0)
const half = String.fromCharCode(0xd83d)

describe('findUnstorableText', () => {
  it.each([
    ['NUL in a string', `a${nul}`, []],
    ['half a surrogate pair', { name: `a${half}` }, ['name']],
    ['a string in a list', { items: ['x', { note: nul }] }, ['items', '1', 'note']],
    ['a key', { outer: { [`k${nul}`]: 1 } }, ['outer']],
    ['a key of its own name', JSON.parse(`{"__proto__": {"x": "\\u0000"}}`), ['__proto__', 'x']],
  ])('names the place of %s', (_, value, path) => {
    expect(findUnstorableText(value)).toEqual(path)
  })

  it.each([[undefined], [null], [0], [true], ['😀 ħ'], [{}], [[]], [{ a: [{ b: 'fine' }] }]])(
    'finds nothing in %j',
    (value) => {
      expect(findUnstorableText(value)).toBeUndefined()
    },
  )

  it('finds something exactly when a string or key holds NUL or a lone surrogate', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        const expected = text.includes(String.raw`\u0000`) || /\\ud[89a-f]/i.test(text)
        // A backslash before the escape makes it ordinary text.
        fc.pre(!text.includes(String.raw`\\`))
        expect(findUnstorableText(value) !== undefined).toBe(expected)
      }),
    )
  })

  it('survives nesting that is deeper than the stack', () => {
    const depth = 500_000
    let deep: unknown = nul
    for (let i = 0; i < depth; i++) deep = [deep]
    expect(findUnstorableText(deep)).toHaveLength(depth)
  })
})
