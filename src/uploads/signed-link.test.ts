import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSignedLinks } from './signed-link.ts'

const links = createSignedLinks('a-secret-of-this-test-that-is-43-characters')
const target = { id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11', variant: 'thumb' }
const now = new Date('2026-11-25T12:00:00.000Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000)
const query = links.sign(target, later(60))

describe('a signed link', () => {
  it('opens its variant until it expires', () => {
    expect(query).toEqual({ expires: '1795608060', signature: expect.stringMatching(/^[\w-]{43}$/) })
    expect(links.opens(target, query, now)).toBe(true)
    expect(links.opens(target, query, later(59))).toBe(true)
    expect(links.opens(target, query, later(60))).toBe(false)
    expect(links.opens(target, query, later(10_000))).toBe(false)
  })

  it('opens nothing else', () => {
    expect(links.opens({ ...target, variant: 'full' }, query, now)).toBe(false)
    expect(links.opens({ ...target, id: target.id.replace(/1$/, '2') }, query, now)).toBe(false)
    // Nor by moving the border between two parts.
    const moved = { id: `${target.id}t`, variant: 'humb' }
    expect(links.opens(moved, query, now)).toBe(false)
  })

  it.each([
    '',
    '0',
    '1795608061',
    '01795608060',
    '1795608060.0',
    '1e99',
    'Infinity',
    'NaN',
    '-1',
    ' 1795608060',
  ])('cannot be prolonged to %j', (expires) => {
    expect(links.opens(target, { ...query, expires }, now)).toBe(false)
  })

  it('is worth nothing with another secret, or with the secret itself as key', () => {
    const other = createSignedLinks('another-secret-of-this-test-of-43-character')
    expect(other.opens(target, query, now)).toBe(false)
  })

  it('is worth nothing with any other signature', () => {
    const at = (n: number, char: string) =>
      `${query.signature.slice(0, n)}${char}${query.signature.slice(n + 1)}`
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let n = 0; n < query.signature.length; n++) {
      for (const char of alphabet) {
        const signature = at(n, char)
        expect(links.opens(target, { ...query, signature }, now), signature).toBe(
          signature === query.signature,
        )
      }
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (signature) => {
        expect(links.opens(target, { ...query, signature }, now)).toBe(false)
      }),
    )
  })
})
