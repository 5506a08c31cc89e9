import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nastyNames } from '../../test/support/nasty-names.ts'
import { cleanFileName, renamed } from './file-name.ts'

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

describe('cleanFileName', () => {
  it.each([
    'photo.jpg',
    'Müller & Söhne.pdf',
    '写真 (2).png',
    '👩‍👩‍👧 family.png',
    'نامه\u200cها.pdf',
    'v1.2 draft',
  ])('leaves the good name %j as it is', (name) => {
    expect(cleanFileName(name)).toBe(name)
  })

  it.each([
    ['C:\\fakepath\\photo.jpg', 'photo.jpg'],
    ['a/../b.png', 'b.png'],
    ['a.png. . .', 'a.png'],
    ['a<b>c|d?e*f.png', 'a_b_c_d_e_f.png'],
    ['NUL.tar.gz', '_NUL.tar.gz'],
    ['Console.png', 'Console.png'],
    ['--help', '_-help'],
    ['e\u0301.png', '\u00e9.png'],
    ['', 'file'],
  ])('makes of %j the name %j', (name, wanted) => {
    expect(cleanFileName(name)).toBe(wanted)
  })

  it('keeps the extension of a name that is too long, and no half of a character', () => {
    expect(cleanFileName(`${'é'.repeat(250)}.png`)).toBe(`${'é'.repeat(98)}.png`)
    expect(cleanFileName(`${'👩‍👧'.repeat(60)}.png`)).toMatch(/^(👩‍👧)+👩?\.png$/u)
    expect(bytesOf(cleanFileName(`a.${'x'.repeat(300)}`))).toBe(200)
  })

  it('changes nothing the second time', () => {
    const twice = (name: string): void => {
      expect(cleanFileName(cleanFileName(name))).toBe(cleanFileName(name))
    }
    nastyNames.forEach(twice)
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), twice), { numRuns: 2_000 })
  })
})

describe('renamed', () => {
  it.each([
    ['photo.JPG', 'webp', '', 'photo.webp'],
    ['photo.jpeg', 'webp', '-thumb', 'photo-thumb.webp'],
    ['contract.pdf', 'pdf', '', 'contract.pdf'],
    ['contract', 'pdf', '', 'contract.pdf'],
    ['v1.2', 'webp', '', 'v1.2.webp'],
    ['photo.jpg.exe', 'webp', '', 'photo.jpg.exe.webp'],
    ['.png', 'webp', '', 'png.webp'],
    ['con.png', 'webp', '', '_con.webp'],
    ['...', 'webp', '-thumb', 'file-thumb.webp'],
  ])('makes of %j as %s with the end %j the name %j', (name, to, end, wanted) => {
    expect(renamed(name, to, end)).toBe(wanted)
  })

  it('always ends with the extension, and stays as short as any name', () => {
    for (const name of nastyNames) {
      const made = renamed(name, 'webp', '-medium')
      expect(made).toMatch(/-medium\.webp$/)
      expect(bytesOf(made)).toBeLessThanOrEqual(200)
      expect(cleanFileName(made)).toBe(made)
    }
  })
})
