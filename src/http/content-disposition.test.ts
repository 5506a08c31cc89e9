import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nastyNames } from '../../test/support/nasty-names.ts'
import { contentDisposition } from './content-disposition.ts'

/** As a client reads it (RFC 6266, RFC 8187); throws where it does not follow the grammar. */
const read = (header: string) => {
  const grammar =
    /^(attachment|inline); filename="([^"\\%]*)"(?:; filename\*=UTF-8''((?:[\w!#$&+.^`|~-]|%[\dA-F]{2})+))?$/
  const [, kind, plain = '', extended] = grammar.exec(header) ?? []
  if (kind === undefined) throw new Error(`not of the grammar: ${header}`)
  return { kind, plain, name: extended === undefined ? plain : decodeURIComponent(extended) }
}

/** Whoever saves a file under this name comes to no harm. */
const expectHarmless = (name: string): void => {
  expect(name).not.toBe('')
  expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(200)
  expect(name).not.toMatch(
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}/\\<>:"|?*\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
  )
  expect(name).not.toMatch(/^[\s.-]|[\s.]$/)
  expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)/i)
}

const expectSound = (header: string): void => {
  expect(header).toMatch(/^[\x20-\x7e]+$/)
  const { plain, name } = read(header)
  for (const one of [plain, name]) expectHarmless(one)
}

describe('contentDisposition', () => {
  it.each([
    ['report-2026.pdf', 'filename="report-2026.pdf"'],
    ['My photo (1).webp', 'filename="My photo (1).webp"'],
    ['Müller.pdf', `filename="Muller.pdf"; filename*=UTF-8''M%C3%BCller.pdf`],
    ['写真.webp', `filename="__.webp"; filename*=UTF-8''%E5%86%99%E7%9C%9F.webp`],
    ["it's 100%.pdf", `filename="it_s 100_.pdf"; filename*=UTF-8''it%27s%20100%25.pdf`],
    ['a"b.pdf', 'filename="a_b.pdf"'],
    ['a\r\nSet-Cookie: b', 'filename="aSet-Cookie_ b"'],
    ['../../etc/passwd', 'filename="passwd"'],
    ['photo\u202egpj.exe', 'filename="photogpj.exe"'],
    ['CON.pdf', 'filename="_CON.pdf"'],
    ['\uff23\uff2f\uff2e.pdf', `filename="_CON.pdf"; filename*=UTF-8''%EF%BC%A3%EF%BC%AF%EF%BC%AE.pdf`],
    ['.htaccess', 'filename="htaccess"'],
    ['...', 'filename="file"'],
    ['👩‍👧.webp', `filename="___.webp"; filename*=UTF-8''%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7.webp`],
  ])('writes %j as %s', (name, wanted) => {
    expect(contentDisposition('attachment', name)).toBe(`attachment; ${wanted}`)
  })

  it('stands the hundred nasty names', () => {
    expect(new Set(nastyNames).size).toBe(100)
    for (const name of nastyNames) expectSound(contentDisposition('inline', name))
  })

  it('stands any text at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
        expectSound(contentDisposition('attachment', name))
      }),
      { numRuns: 2_000 },
    )
  })
})
