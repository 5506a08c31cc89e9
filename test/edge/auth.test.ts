import { env } from 'cloudflare:workers'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { TokenReply } from '../../src/auth/schema.ts'
import { createTokens } from '../../src/auth/tokens.ts'
import { readConfig } from '../../src/config.ts'
import { createServices } from '../../src/services.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startOnce } from '../../workers/api.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { password } from '../support/edge-provided.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const login = (email: string, secret = password) =>
  api('POST', '/api/auth/login', { body: { email, password: secret }, headers: { 'User-Agent': 'test/1.0' } })

const hashOf = async (id: string) =>
  (await sql<{ password_hash: string }>('select password_hash from users where id = $1', [id]))[0]
    ?.password_hash

/** `password` by scrypt with N = 2^4, r = 8, p = 1. */
const oldHash = '$scrypt$ln=4,r=8,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzcw$skDCws75IJf/L0ujgU3wSWcVVchXHE5XNzXg3hsr+4M'

let ada: TestUser

beforeAll(async () => {
  ada = await newUser({ name: 'Ada Byron', email: 'ada@people.example' })
})

describe('login', () => {
  it('answers a token and who it belongs to, in two calls to the database', async () => {
    const { status, data, calls, headers } = await login(ada.email)
    expect(status).toBe(200)
    expect(data).toEqual({
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^rt_[\w-]{43}$/),
      refreshExpiresIn: 30 * 86_400,
      refreshNonce: expect.stringMatching(/^[\w-]{22}$/),
      user: {
        id: ada.id,
        name: 'Ada Byron',
        email: 'ada@people.example',
        role: 'user',
        verifiedAt: expect.any(String),
      },
    })
    expect(calls).toBe(2)
    expect(headers.get('Cache-Control')).toBe('no-store')
  })

  it.each(['ADA@People.Example', '  ada@people.example ', '\tada@people.example\n'])(
    'knows %j as the same address',
    async (email) => {
      expect((await login(email)).status).toBe(200)
    },
  )

  it('opens a session of 30 days that the token names', async () => {
    const { accessToken } = TokenReply.parse((await login(ada.email)).data)
    const { sid } = decodeJwt(accessToken)
    const [session] = await sql(
      `select user_id, user_agent, revoked_at, extract(epoch from expires_at - created_at) / 86400 as days
        from sessions where id = $1`,
      [sid],
    )
    expect(session).toMatchObject({ user_id: ada.id, user_agent: 'test/1.0', revoked_at: null })
    expect(Number(session?.['days'])).toBeCloseTo(30)
  })

  it('signs a token that the published keys verify, with nothing personal in it', async () => {
    const { accessToken } = TokenReply.parse((await login(ada.email)).data)
    const { body } = await api('GET', '/.well-known/jwks.json')
    const { payload, protectedHeader } = await jwtVerify(
      accessToken,
      createLocalJWKSet(body as JSONWebKeySet),
    )
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: 'test-1' })
    expect(payload).toEqual({
      iss: env.JWT_ISSUER,
      aud: env.JWT_AUDIENCE,
      sub: ada.id,
      role: 'user',
      sid: expect.any(String),
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 900,
    })
    expect(decodeProtectedHeader(accessToken)).not.toHaveProperty('jwk')
  })

  it('says the same of a wrong password, an unknown address and a deleted account', async () => {
    const gone = await newUser({ email: 'gone@people.example' })
    await sql(`update users set deleted_at = now() where id = $1`, [gone.id])
    const answers = [
      await login(ada.email, `${password}x`),
      await login('nobody@people.example'),
      await login(gone.email),
      await login('no address'),
      await login(`${gone.id}@deleted.invalid`, ''),
    ]
    for (const { status, error, calls, headers } of answers) {
      expect([status, calls]).toEqual([401, 1])
      expect(error).toEqual({
        code: 'INVALID_CREDENTIALS',
        message: 'E-mail address or password is wrong',
        requestId: expect.any(String),
      })
      expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="selvedge"')
    }
  })

  it('is refused for an account whose hash is unusable', async () => {
    for (const passwordHash of ['', 'plain', '$scrypt$ln=14,r=8,p=5$$']) {
      const { email } = await newUser({ passwordHash })
      expect((await login(email, passwordHash)).status).toBe(401)
    }
  })

  it('hashes again when the parameters have changed, in the same two calls', async () => {
    const { id, email } = await newUser({ passwordHash: oldHash })
    const { status, calls } = await login(email)
    expect([status, calls]).toEqual([200, 2])
    const renewed = await hashOf(id)
    expect(renewed).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$/)
    expect((await login(email)).status).toBe(200)
    expect(await hashOf(id)).toBe(renewed)
  })

  it('hashes nothing again for a wrong password', async () => {
    const { id, email } = await newUser({ passwordHash: oldHash })
    expect((await login(email, 'wrong')).status).toBe(401)
    expect(await hashOf(id)).toBe(oldHash)
  })
})

describe('the published accounts', () => {
  it('are let in, but not in production', async () => {
    const { email } = await newUser({ email: 'admin@selvedge.test', role: 'admin' })
    expect((await login(email)).status).toBe(200)
    const { config, log } = startOnce(env)
    const production = createServices(
      { ...config, environment: 'production' },
      env,
    )({ log, meter: newMeter(), origin: { requestId: newId() }, after: () => undefined })
    await expect(production.auth.login({ email, password }, undefined)).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    })
    const reply = await production.auth.login({ email: ada.email, password }, undefined)
    expect(reply.user.id).toBe(ada.id)
  })
})

describe('the second live key', () => {
  it('signs nothing and is still accepted', async () => {
    const { tokens: settings } = readConfig(env)
    const older = createTokens({ ...settings, keys: settings.keys.toReversed() })
    const token = await older.issue({ kind: 'user', id: ada.id, role: 'user', sessionId: ada.sessionId })
    expect(decodeProtectedHeader(token).kid).toBe('test-2')
    expect((await api('GET', '/api/auth/me', { token })).status).toBe(200)
  })
})

describe('me', () => {
  it('tells who the token belongs to, as the database has it now, in one call', async () => {
    const { id, token } = await newUser({ name: 'Old Name' })
    await sql(`update users set name = 'New Name' where id = $1`, [id])
    const { status, data, calls } = await api('GET', '/api/auth/me', { token })
    expect(status).toBe(200)
    expect(data).toEqual({
      id,
      name: 'New Name',
      email: `${id}@people.example`,
      role: 'user',
      verifiedAt: expect.any(String),
    })
    expect(calls).toBe(1)
  })

  it('is refused without a token, saying how to send one', async () => {
    const { status, code, headers, calls } = await api('GET', '/api/auth/me')
    expect([status, code, calls]).toEqual([401, 'UNAUTHENTICATED', 0])
    expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="selvedge"')
  })

  it('is refused with a token that is not ours, without asking the database', async () => {
    const [head, body] = ada.token.split('.')
    for (const token of [`${head}.${body}.`, `${head}.${body}.AAAA`, 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.']) {
      const { status, headers, calls } = await api('GET', '/api/auth/me', { token })
      expect([status, calls]).toEqual([401, 0])
      expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="selvedge", error="invalid_token"')
    }
  })

  it('takes a token from the header only', async () => {
    for (const query of ['access_token', 'token']) {
      expect((await api('GET', `/api/auth/me?${query}=${ada.token}`)).status).toBe(401)
    }
    expect(
      (await api('GET', '/api/auth/me', { headers: { Cookie: `access_token=${ada.token}` } })).status,
    ).toBe(401)
  })

  it('is refused when keys, issuer or audience are another deployment’s', async () => {
    for (const changed of [{ JWT_ISSUER: 'https://other.example' }, { JWT_AUDIENCE: 'others' }]) {
      const { request } = appWith({ env: changed })
      const response = await request('/api/auth/me', { headers: { Authorization: `Bearer ${ada.token}` } })
      expect(response.status).toBe(401)
    }
  })
})
