import { env } from 'cloudflare:workers'
import { base64url, exportSPKI, importJWK, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { ticketFor } from '../support/edge-chat.ts'
import { endEarlierObjects } from '../support/edge-objects.ts'
import { mailedToken } from '../support/edge-recovery.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { login } from '../support/edge-sessions.ts'

const { keys } = readConfig(env).tokens
const [signing, other] = keys
if (signing === undefined || other === undefined) throw new Error('Two keys are needed')

endEarlierObjects()

let ada: TestUser

beforeAll(async () => {
  ada = await newUser()
})

const now = () => Math.floor(Date.now() / 1_000)

const claims = () => ({
  ...{ iss: env.JWT_ISSUER, aud: env.JWT_AUDIENCE, sub: ada.id, sid: ada.sessionId, role: 'user' },
  ...{ iat: now(), exp: now() + 900, jti: newId() },
})

type Forgery = { header?: Partial<JWTHeaderParameters>; claims?: object; key?: typeof signing }

/** Signed with our own key, and wrong only in what is named. */
const forge = async ({ header = {}, claims: changed = {}, key = signing }: Forgery) =>
  await new SignJWT({ ...claims(), ...changed })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: signing.kid, ...header })
    .sign(await importJWK(key, 'ES256'), { crit: { strange: false } })

const encode = (value: unknown) => base64url.encode(JSON.stringify(value))

const withAlgorithm = (alg: string) =>
  `${encode({ alg, typ: 'at+jwt', kid: signing.kid })}.${encode(claims())}.`

const hmac = async (secret: string) =>
  await new SignJWT(claims())
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: signing.kid })
    .sign(new TextEncoder().encode(secret))

const foreign = async () => {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const { x = '', y = '', d = '' } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey
  return { ...signing, x, y, d }
}

const pem = async (key: typeof signing) =>
  await exportSPKI((await importJWK({ ...publicHalf(key), ext: true }, 'ES256')) as CryptoKey)

const publicHalf = ({ kty, crv, x, y }: typeof signing) => ({ kty, crv, x, y })

const attacks: [string, () => string | Promise<string>][] = [
  ['alg none', () => withAlgorithm('none')],
  ['alg None', () => withAlgorithm('None')],
  ['alg NONE', () => withAlgorithm('NONE')],
  ['no signature at all', () => new UnsecuredJWT(claims()).encode()],
  ['HS256 with the public key', () => hmac(JSON.stringify(publicHalf(signing)))],
  ['HS256 with the coordinates of the public key', () => hmac(signing.x)],
  ['HS256 with the public key as PEM', async () => await hmac(await pem(signing))],
  [
    'a key of its own in its header',
    async () => {
      const key = await foreign()
      return await forge({ key, header: { jwk: publicHalf(key) } })
    },
  ],
  [
    'the address of a key set',
    async () => await forge({ key: await foreign(), header: { jku: 'https://evil.example/jwks.json' } }),
  ],
  [
    'the address of a certificate',
    async () => await forge({ key: await foreign(), header: { x5u: 'https://evil.example/a.pem' } }),
  ],
  ...['../../../../dev/null', '/dev/null', "x' or '1'='1", 'https://evil.example/jwks.json', ''].map(
    (kid): [string, () => Promise<string>] => [
      `the kid ${JSON.stringify(kid)}`,
      async () => await forge({ key: await foreign(), header: { kid } }),
    ],
  ),
  ['a foreign key under our kid', async () => await forge({ key: await foreign() })],
  ['the kid of our other key', () => forge({ header: { kid: other.kid } })],
  ...['JWT', 'rt+jwt', 'reset+jwt', 'ticket+jwt'].map((typ): [string, () => Promise<string>] => [
    `the type ${typ}`,
    () => forge({ header: { typ } }),
  ]),
  ['no type', () => forge({ header: { typ: undefined } })],
  ['an extension that we do not know', () => forge({ header: { crit: ['strange'], strange: 1 } })],
  ['another issuer', () => forge({ claims: { iss: 'https://evil.example' } })],
  ['another audience', () => forge({ claims: { aud: 'others' } })],
  ['no end', () => forge({ claims: { exp: undefined } })],
  ['an end that has passed', () => forge({ claims: { exp: now() - 1 } })],
  ['a beginning to come', () => forge({ claims: { nbf: now() + 600 } })],
  ['no session', () => forge({ claims: { sid: undefined } })],
  ['a header of 64 KB', () => forge({ header: { padding: 'x'.repeat(65_536) } })],
  ['claims of 64 KB', () => forge({ claims: { padding: 'x'.repeat(65_536) } })],
  ['a refresh token', async () => (await login(ada.email)).refresh],
  ['a token of a mail', () => mailedToken(ada.email)],
  ['a ticket of a socket', () => ticketFor(ada, { inbox: true })],
]

describe('a token that is not ours', () => {
  beforeEach(() => void vi.spyOn(globalThis, 'fetch'))
  afterEach(() => void vi.restoreAllMocks())

  it.each(attacks)('with %s is a 401 without a call to anybody', async (_, make) => {
    const token = await make()
    vi.mocked(fetch).mockClear()
    const { status, code, calls, headers } = await api('GET', '/api/auth/me', { token })
    expect([status, code, calls]).toEqual([401, 'UNAUTHENTICATED', 0])
    expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="selvedge", error="invalid_token"')
    expect(fetch).not.toHaveBeenCalled()
  })

  it('is told from ours by nothing else: the same token, unspoilt, is let in', async () => {
    expect((await api('GET', '/api/auth/me', { token: await forge({}) })).status).toBe(200)
    // And this is what a call to the database looks like here.
    expect(fetch).toHaveBeenCalled()
  })
})

it('a token of a key that has retired is a 401', async () => {
  const token = await forge({ key: other, header: { kid: other.kid } })
  const me = async (retiresAt: string) => {
    const { request } = appWith({ env: { JWT_KEYS: JSON.stringify([signing, { ...other, retiresAt }]) } })
    return (await request('/api/auth/me', { headers: { Authorization: `Bearer ${token}` } })).status
  }
  expect(await me('2100-01-01T00:00:00.000Z')).toBe(200)
  expect(await me('2026-01-01T00:00:00.000Z')).toBe(401)
})
