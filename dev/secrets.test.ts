import { createPrivateKey, type JsonWebKey } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadSecrets, makeJwtKeys } from './secrets.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'secrets-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

it('secrets are made once, kept, and readable by their owner only', () => {
  const file = join(dir, 'secrets.json')
  const first = loadSecrets(file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(loadSecrets(file)).toEqual(first)
  expect(loadSecrets(join(dir, 'other.json'))).not.toEqual(first)
})

it('JWT_KEYS is one private ES256 key whose kid production refuses', () => {
  const keys: unknown = JSON.parse(makeJwtKeys())
  expect(keys).toMatchObject([{ alg: 'ES256', use: 'sig' }])
  const [key] = keys as [JsonWebKey]
  expect(key.kid).toMatch(/^dev-\w{16}$/)
  expect(createPrivateKey({ key, format: 'jwk' }).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
})
