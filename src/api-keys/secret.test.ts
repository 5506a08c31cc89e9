import { describe, expect, it } from 'vitest'
import { newId } from '../shared/ids.ts'
import { createSecrets } from './secret.ts'

const secret = 'Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS'
const secrets = createSecrets(secret, { isProduction: true })
const id = newId()

describe('the secret of an API key', () => {
  it('is read back with the id of its key', () => {
    const { key, hash } = secrets.make(id)
    expect(key).toMatch(/^sk_live_[0-9a-f]{32}_[\w-]{65}$/)
    expect(secrets.read(key)).toEqual({ keyId: id, key, hash })
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(hash).not.toContain(key.slice(-20))
  })

  it('is another at each making', () => {
    expect(secrets.make(id).key).not.toBe(secrets.make(id).key)
  })

  it('passes with no character changed, added or taken away', () => {
    const { key } = secrets.make(id)
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'a' ? 'b' : 'a'
      expect(secrets.read(key.slice(0, at) + other + key.slice(at + 1)), `character ${at}`).toBeUndefined()
    }
    for (const wrong of [`${key}a`, key.slice(0, -1), ` ${key}`, key.toUpperCase(), '', 'sk_live_', 'sk_']) {
      expect(secrets.read(wrong)).toBeUndefined()
    }
  })

  it('passes neither under another TOKEN_SECRET nor in another environment', () => {
    const { key } = secrets.make(id)
    expect(createSecrets(secret.replace('Z', 'Y'), { isProduction: true }).read(key)).toBeUndefined()
    const tests = createSecrets(secret, { isProduction: false })
    expect(tests.make(id).key).toMatch(/^sk_test_/)
    expect(tests.read(key)).toBeUndefined()
    expect(secrets.read(tests.make(id).key)).toBeUndefined()
  })
})
