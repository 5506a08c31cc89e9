import { describe, expect, it } from 'vitest'
import { cut, plain, rowsOf, widthOf } from './text.ts'

describe('plain', () => {
  it('leaves nothing that moves the cursor, colours or rings', () => {
    expect(plain('\u001b[31mred\u001b[0m\u0007\tand\r\nmore\u009b')).toBe('red  and \nmore ')
  })
})

describe('widthOf', () => {
  it('counts columns: two for wide letters and emoji, none for styles and marks', () => {
    expect(widthOf('\u001b[1mbold\u001b[22m')).toBe(4)
    expect(widthOf('注文')).toBe(4)
    expect(widthOf('e\u0301')).toBe(1)
    expect(widthOf('👩‍👧')).toBe(2)
  })
})

describe('rowsOf', () => {
  it('counts the rows of every line, full and empty ones included', () => {
    expect(rowsOf('', 10)).toBe(1)
    expect(rowsOf('0123456789', 10)).toBe(1)
    expect(rowsOf('0123456789a\n\nb', 10)).toBe(4)
  })
})

describe('cut', () => {
  it('leaves what fits', () => expect(cut('ten wide .', 10)).toBe('ten wide .'))
  it('ends with an ellipsis within the width', () => {
    expect(cut('eleven wide', 10)).toBe('eleven wi…')
    expect(cut('注文注文', 6)).toBe('注文…')
  })
  it('says that there are more lines', () => expect(cut('one\ntwo', 10)).toBe('one…'))
  it('is empty where there is no room', () => expect(cut('text', -3)).toBe(''))
  it('leaves everything of a line that goes into a pipe', () =>
    expect(cut('x'.repeat(500), Infinity)).toHaveLength(500))
})
