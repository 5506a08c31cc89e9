// Text as a terminal shows it.
import { stripVTControlCharacters } from 'node:util'

/** What others write must not move the cursor or ring the bell. */
export const plain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- those are what is taken out
  stripVTControlCharacters(text).replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')

const graphemes = new Intl.Segmenter()

// Unicode's table of widths (UAX 11) is no property that an expression may ask for; these are nearly all that are wide.
const wide =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/u

const widthOfOne = (grapheme: string): number => (wide.test(grapheme) || grapheme.includes('\ufe0f') ? 2 : 1)

/** In columns, styles aside. */
export const widthOf = (text: string): number => {
  let width = 0
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) width += widthOfOne(segment)
  return width
}

/** How many rows of that many columns it takes. */
export const rowsOf = (text: string, columns: number): number =>
  text.split('\n').reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)

/** The first line of a text without styles, at most that wide; what was left out is an ellipsis. */
export const cut = (text: string, columns: number): string => {
  const [line = '', ...more] = text.split('\n')
  if (more.length === 0 && widthOf(line) <= columns) return line
  let [kept, width] = ['', 0]
  for (const { segment } of graphemes.segment(line)) {
    width += widthOfOne(segment)
    if (width >= columns) break
    kept += segment
  }
  return columns < 1 ? '' : `${kept.trimEnd()}…`
}
