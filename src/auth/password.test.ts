import { describe, expect, it } from 'vitest'
import { hashPassword, needsRehash, verifyPassword } from './password.ts'

const password = 'Warp-and-Weft-7'
const stored = hashPassword(password)

/** The same password with N = 2^4, r = 8, p = 1, made by Python's hashlib.scrypt with a salt of sixteen `s`. */
const weak = '$scrypt$ln=4,r=8,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$skDCws75IJf/L0ujgU3wSWcVVchXHE5XNzXg3hsr+4M'

describe('a stored password', () => {
  it('is a PHC string with the parameters of today and a salt of its own', () => {
    expect(stored).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(hashPassword(password)).not.toBe(stored)
  })

  it('verifies its password and no other', () => {
    expect(verifyPassword(password, stored)).toBe(true)
    for (const other of ['warp-and-weft-7', `${password} `, '']) {
      expect(verifyPassword(other, stored)).toBe(false)
    }
  })

  it('is the same for both ways of writing a letter with an accent', () => {
    const composed = 'Caf\u00e9-and-Weft-7'
    const decomposed = 'Cafe\u0301-and-Weft-7'
    expect(verifyPassword(decomposed, hashPassword(composed))).toBe(true)
  })

  it('still verifies when it was made with other parameters, and asks to be made again', () => {
    expect(verifyPassword(password, weak)).toBe(true)
    expect(verifyPassword('wrong', weak)).toBe(false)
    expect(needsRehash(weak)).toBe(true)
    expect(needsRehash(stored)).toBe(false)
  })

  it.each([
    ['no account', undefined],
    ['a deleted account', ''],
    ['another scheme', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA'],
    ['plain text', password],
    ['a cut hash', stored.slice(0, 60)],
  ])('of %s matches nothing', (_, kept) => {
    expect(verifyPassword(password, kept)).toBe(false)
    expect(verifyPassword('', kept)).toBe(false)
  })
})
