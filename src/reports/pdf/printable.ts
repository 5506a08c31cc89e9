/** What stands where the font has no sign. */
export const replacement = '\uFFFD'

const covered =
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]$/u

/** Controls, directions, joiners, variation selectors, private use: they would steer the page, not stand on it. */
const invisible = /^[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]$/u

/** Marks on one letter; more pile up over other lines. */
const maxMarks = 2

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

export const graphemesOf = (text: string): string[] =>
  [...graphemes.segment(text)].map(({ segment }) => segment)

/**
 * Text that the font can show, on one line: composed (NFC), white space as single blanks, and every character that is
 * not Latin, Greek or Cyrillic, or that the font lacks, replaced by a visible sign; an emoji of many code points by one.
 */
export const printable = (text: string, has: (codePoint: number) => boolean): string => {
  const shown = (character: string): boolean =>
    covered.test(character) && !invisible.test(character) && has(character.codePointAt(0) ?? 0)
  return graphemesOf(text.toWellFormed().normalize('NFC').replaceAll(/\s+/g, ' ').trim())
    .map((grapheme) => {
      const characters = Array.from(grapheme)
      const fits = characters.every(shown) && characters.length <= 1 + maxMarks
      return fits ? grapheme : replacement
    })
    .join('')
}
