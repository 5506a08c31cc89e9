import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import {
  base64url,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  SignJWT,
  type JWTHeaderParameters,
} from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Actor } from '../shared/actor.ts'
import { createTokens } from './tokens.ts'

const keyOf = (kid: string) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  return { kty: 'EC' as const, crv: 'P-256' as const, x, y, d, kid }
}

const [older, newer, foreign] = [keyOf('older'), keyOf('newer'), keyOf('newer')]
const settings = { issuer: 'https://api.selvedge.example', audience: 'selvedge' }
const tokens = createTokens({ ...settings, keys: [newer, older] })

const actor: Actor = {
  kind: 'user',
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
  role: 'admin',
  sessionId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f13',
}

const now = () => Math.floor(Date.now() / 1_000)

const claims = () => ({
  iss: settings.issuer,
  aud: settings.audience,
  sub: actor.id,
  sid: actor.sessionId,
  role: actor.role,
  iat: now(),
  exp: now() + 900,
  jti: '1',
})

const header = { alg: 'ES256', typ: 'at+jwt', kid: newer.kid }

type Forgery = { header?: Partial<JWTHeaderParameters>; claims?: object; key?: typeof newer }

/** A token as ours but for what is named. */
const forge = async ({ header: other = {}, claims: changed = {}, key = newer }: Forgery) =>
  await new SignJWT({ ...claims(), ...changed })
    .setProtectedHeader({ ...header, ...other })
    .sign(await importJWK(key, 'ES256'), { crit: { extension: true } })

const encode = (value: unknown) => base64url.encode(JSON.stringify(value))

const unsigned = (head: object, signature = '') => `${encode(head)}.${encode(claims())}.${signature}`

/** Signed with the public key as if it were a shared secret. */
const confused = async (secret: string) =>
  await new SignJWT(claims())
    .setProtectedHeader({ ...header, alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))

describe('an access token', () => {
  it('names who may act and nothing personal', async () => {
    const token = await tokens.issue(actor)
    expect(decodeProtectedHeader(token)).toEqual(header)
    const issued = decodeJwt(token)
    expect(issued).toEqual({
      ...claims(),
      iat: expect.any(Number),
      exp: (issued.iat ?? 0) + 15 * 60,
      jti: expect.any(String),
    })
  })

  it('has an id of its own', async () => {
    const [one, other] = [decodeJwt(await tokens.issue(actor)), decodeJwt(await tokens.issue(actor))]
    expect(one.jti).not.toBe(other.jti)
  })

  it('verifies to its actor', async () => {
    expect(await tokens.verify(await tokens.issue(actor))).toEqual(actor)
    expect(await tokens.verify(await forge({}))).toEqual(actor)
  })

  it('of the older of two live keys still verifies', async () => {
    const before = createTokens({ ...settings, keys: [older] })
    expect(await tokens.verify(await before.issue(actor))).toEqual(actor)
  })

  const refused: [string, () => string | Promise<string>][] = [
    ['alg none', () => unsigned({ ...header, alg: 'none' })],
    ['no signature', () => unsigned(header)],
    ['a signature of zeros', () => unsigned(header, base64url.encode(new Uint8Array(64)))],
    ['HS256 with the public key', () => confused(newer.x)],
    ['HS256 with the public key as JSON', () => confused(JSON.stringify(tokens.jwks.keys[0]))],
    ['a foreign key under a known kid', () => forge({ key: foreign })],
    ['an unknown kid', () => forge({ header: { kid: 'unknown' } })],
    ['no kid', () => forge({ header: { kid: undefined } })],
    ['the kid of another live key', () => forge({ header: { kid: older.kid } })],
    ['a key of its own in its header', () => forge({ key: foreign, header: { jwk: tokens.jwks.keys[0] } })],
    [
      'a key set of its own',
      () => forge({ key: foreign, header: { jku: 'https://evil.example/jwks.json' } }),
    ],
    ['a critical extension', () => forge({ header: { crit: ['extension'], extension: 1 } })],
    ['another type', () => forge({ header: { typ: 'JWT' } })],
    ['no type', () => forge({ header: { typ: undefined } })],
    ['another issuer', () => forge({ claims: { iss: 'https://evil.example' } })],
    ['no issuer', () => forge({ claims: { iss: undefined } })],
    ['another audience', () => forge({ claims: { aud: 'others' } })],
    ['no audience', () => forge({ claims: { aud: undefined } })],
    ['a past end', () => forge({ claims: { exp: now() - 1 } })],
    ['no end', () => forge({ claims: { exp: undefined } })],
    ['a beginning to come', () => forge({ claims: { nbf: now() + 600 } })],
    ['no time of issue', () => forge({ claims: { iat: undefined } })],
    ['no id', () => forge({ claims: { jti: undefined } })],
    ['no subject', () => forge({ claims: { sub: undefined } })],
    ['a subject that is no id', () => forge({ claims: { sub: `' or 1=1` } })],
    ['no session', () => forge({ claims: { sid: undefined } })],
    ['an unknown role', () => forge({ claims: { role: 'root' } })],
    ['more than 4,096 characters', () => forge({ claims: { more: 'x'.repeat(4_096) } })],
  ]
  it.each(refused)('with %s is refused', async (_, make) => {
    expect(await tokens.verify(await make())).toBeUndefined()
  })

  it('with any character changed is refused', async () => {
    const token = await tokens.issue(actor)
    const place = fc.nat(token.length - 2)
    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom('A', 'z', '0', '-', '.'), async (at, character) => {
        fc.pre(token[at] !== character)
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        expect(await tokens.verify(changed)).toBeUndefined()
      }),
    )
  })

  it('is never a reason to throw, whatever it is', async () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.jsonValue().map(encode))
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        expect(await tokens.verify(parts.join('.'))).toBeUndefined()
      }),
    )
  })
})

describe('the key set', () => {
  it('publishes every live key without its private part', () => {
    expect(tokens.jwks.keys.map(({ kid }) => kid)).toEqual(['newer', 'older'])
    for (const key of tokens.jwks.keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    }
  })
})

describe('a rotation', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 12, minute)).toISOString()
  const rotated = createTokens({
    ...settings,
    keys: [
      { ...newer, signsFrom: at(6) },
      { ...older, retiresAt: at(22) },
    ],
  })
  const kids = () => rotated.jwks.keys.map(({ kid }) => kid)
  const signer = async () => decodeProtectedHeader(await rotated.issue(actor)).kid
  const go = (minute: number) => vi.setSystemTime(at(minute))

  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('publishes the new key before it signs', async () => {
    go(0)
    expect([kids(), await signer()]).toEqual([['newer', 'older'], 'older'])
    go(6)
    expect([kids(), await signer()]).toEqual([['newer', 'older'], 'newer'])
  })

  it('takes every token of the old key to its end, and none once it has retired', async () => {
    go(5)
    const last = await rotated.issue(actor)
    go(19)
    expect(await rotated.verify(last)).toEqual(actor)
    go(22)
    expect(kids()).toEqual(['newer'])
    expect(await rotated.verify(last)).toBeUndefined()
    // Not even where a token may have expired long ago.
    expect(await rotated.verify(last, { expiredFor: 86_400 })).toBeUndefined()
    expect(await rotated.verify(await rotated.issue(actor))).toEqual(actor)
  })
})
