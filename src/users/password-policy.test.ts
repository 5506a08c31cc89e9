import { describe, expect, it } from 'vitest'
import { commonPasswords } from './common-passwords.ts'
import { passwordProblems } from './password-policy.ts'

describe('passwordProblems', () => {
  it.each(['Warp-and-Weft-7', 'Selvedge-Dev-1!', 'Ünïcödé-Ω-9', 'Ab3!Ab3!', `Aa1!${'x'.repeat(124)}`])(
    'admits %s',
    (password) => {
      expect(passwordProblems(password)).toEqual([])
    },
  )

  it.each([
    ['Ab3!xyz', 'must have at least 8 characters'],
    [`Aa1!${'x'.repeat(125)}`, 'must have at most 128 characters'],
    ['warp-and-weft-7', 'must contain an upper-case letter'],
    ['WARP-AND-WEFT-7', 'must contain a lower-case letter'],
    ['Warp-and-Weft', 'must contain a digit'],
    ['WarpandWeft77', 'must contain a symbol'],
    ['Warp and Weft 7', 'must contain a symbol'],
    ['P@ssw0rd1!', 'is one of the most common passwords'],
    ['Trustno1!', 'is one of the most common passwords'],
    ['!!Dragon99', 'is one of the most common passwords'],
    ['Sun5h1ne!', 'is one of the most common passwords'],
  ])('refuses %s', (password, problem) => {
    expect(passwordProblems(password)).toContain(problem)
  })

  it('names every rule that is broken', () => {
    expect(passwordProblems('')).toHaveLength(5)
  })

  it('knows 3,000 common passwords in lower case', () => {
    expect(commonPasswords.size).toBe(3_000)
    expect([...commonPasswords].filter((word) => word !== word.toLowerCase())).toEqual([])
  })
})
