import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRefreshTokens } from './refresh-token.ts'

const tokens = createRefreshTokens('a secret of the tests')

describe('a refresh token', () => {
  it('has 256 random bits, a hash that is stored and a nonce that betrays neither', () => {
    const { token, hash, nonce } = tokens.first()
    expect(token).toMatch(/^rt_[\w-]{43}$/)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(nonce).toMatch(/^[\w-]{22}$/)
    expect(token).not.toContain(nonce)
    expect(tokens.first().token).not.toBe(token)
  })

  it('is read back to the same hash and nonce', () => {
    const first = tokens.first()
    expect(tokens.read(first.token)).toEqual(first)
  })

  it('has one successor under one key, and another under every other', () => {
    const parent = tokens.first()
    const successor = tokens.successor(parent, 'key')
    expect(tokens.successor(parent, 'key')).toEqual(successor)
    expect(tokens.read(successor.token)).toEqual(successor)
    const others = [
      tokens.successor(parent, 'other'),
      tokens.successor(tokens.first(), 'key'),
      tokens.successor(successor, 'key'),
      createRefreshTokens('another secret').successor(parent, 'key'),
    ]
    for (const other of others) expect(other.token).not.toBe(successor.token)
  })

  it('has a successor that nobody can have again without a key', () => {
    const parent = tokens.first()
    expect(tokens.successor(parent, undefined)).not.toEqual(tokens.successor(parent, undefined))
  })

  it('is nothing that has another form', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(tokens.read(text)).toBeUndefined()
      }),
    )
    expect(tokens.read(`${tokens.first().token}=`)).toBeUndefined()
    expect(tokens.read(` ${tokens.first().token}`)).toBeUndefined()
    expect(tokens.read(`${tokens.first().token}\n`)).toBeUndefined()
  })
})
