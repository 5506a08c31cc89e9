import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, replacement } from './printable.ts'

const everything = () => true

describe('printable text', () => {
  it.each([
    'Linen tablecloth, 140 × 200 cm',
    'Łódź wełna, Ångström, Straße, ẹ́fọ́',
    'Αθηναϊκό ύφασμα, Ἀθῆναι',
    'Льняная скатерть, ґанок, Ђорђе',
    '«19,90 €» – “½”',
  ])('stays as it is: %s', (text) => {
    expect(printable(text, everything)).toBe(text.normalize('NFC'))
  })

  it.each([
    ['漢字 towel', '�� towel'],
    ['👨‍👩‍👧 set', '� set'],
    ['شال', '���'],
    ['a\u202Elived\u202C', 'a�lived�'],
    ['zero\u200Bwidth', 'zero�width'],
    ['a\u0000b\u001b[31m', 'a�b�[31m'],
    ['\uD800x', '�x'],
    ['A\u0301', 'Á'],
    [`a${'\u0335'.repeat(9)}b`, '�b'],
    [' two\n\tlines\u00A0here\u2028now ', 'two lines here now'],
    ['', ''],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text, everything)).toBe(shown)
  })

  it('replaces what the font lacks', () => {
    expect(printable('aβc', (codePoint) => codePoint < 0x80)).toBe('a�c')
  })

  it('never holds what the page could not show, whatever the name', () => {
    const has = (codePoint: number) => codePoint !== 0x62
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
        const shown = printable(name, has)
        expect(shown.isWellFormed()).toBe(true)
        for (const character of shown) {
          expect(/[\p{C}\p{Zl}\p{Zp}\n\t]/u.test(character)).toBe(false)
          expect(character === replacement || has(character.codePointAt(0) ?? 0)).toBe(true)
        }
        // Shown again it is the same.
        expect(printable(shown, has)).toBe(shown)
      }),
      { numRuns: 2_000 },
    )
  })
})
