import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayNameOf, nameOfHeader } from './file-name.ts'

describe('the name of a file', () => {
  it.each([
    ['linen.jpg', 'linen.jpg'],
    ['../../etc/passwd', 'passwd'],
    [String.raw`C:\Users\ada\Bild 1.png`, 'Bild 1.png'],
    ['a\r\nSet-Cookie: x.png', 'aSet-Cookie: x.png'],
    ['invoice\u202Egnp.exe', 'invoicegnp.exe'],
    ['  two   blanks .pdf ', 'two blanks .pdf'],
    ['u\u0308ber.png', '\u00FCber.png'],
    ['', 'file'],
    ['..', 'file'],
    ['folder/', 'file'],
    ['\u0000\u200B', 'file'],
    ['half \uD800 pair', 'half \uFFFD pair'],
  ])('%j is shown as %j', (name, shown) => {
    expect(displayNameOf(name)).toBe(shown)
  })

  it('keeps its ending when it is too long', () => {
    const name = displayNameOf(`${'ä'.repeat(400)}.jpeg`)
    expect([name.length, name.slice(-6)]).toEqual([255, 'ä.jpeg'])
    expect(displayNameOf('😀'.repeat(200)).isWellFormed()).toBe(true)
  })

  it('is never empty, too long, of several lines, a path, or what cannot be stored', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        const name = displayNameOf(text)
        expect(name).toMatch(/^[^/\\\p{Cc}]{1,255}$/su)
        expect(name.isWellFormed()).toBe(true)
      }),
    )
  })
})

describe('X-File-Name', () => {
  it('is percent-encoded UTF-8', () => {
    expect(nameOfHeader('Gr%C3%BC%C3%9Fe%20%26%20mehr.png')).toBe('Grüße & mehr.png')
  })

  it.each([undefined, '', '%', '%FF', '%E0%A4%A'])('is refused when it is %j', (header) => {
    expect(() => nameOfHeader(header)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }))
  })
})
