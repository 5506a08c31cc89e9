import { beforeEach, describe, expect, it } from 'vitest'
import { hashPassword } from './password.ts'
import { createRefreshTokens } from './refresh-token.ts'
import { createAuthService } from './service.ts'

const password = 'Warp-and-Weft-7'
const passwordHash = hashPassword(password)
const user = { id: 'u1', name: 'Ada Byron', role: 'user' as const, verifiedAt: null }

type Session = {
  id: string
  device: string | undefined
  refreshHash: string
  userAgent: string | undefined
  newPasswordHash: string | undefined
}

let asked: string[]
let sessions: Session[]

/** The accounts are whatever address is asked for. */
const serviceOf = ({ refusesDemoAccounts = false, requiresVerifiedEmail = false, opens = true } = {}) =>
  createAuthService({
    auth: {
      findByEmail: async (email) => {
        asked.push(email)
        return { ...user, email, passwordHash }
      },
      openSession: async (session) => {
        sessions.push(session)
        return opens
      },
      isSessionOf: async () => false,
      findActor: async () => undefined,
      purgeExpired: async () => 0,
    },
    tokens: {
      issue: async ({ sessionId }) => `token of ${sessionId}`,
      verify: async () => undefined,
      life: 900,
      jwks: { keys: [] },
    },
    refreshTokens: createRefreshTokens('a secret of the tests'),
    newId: () => 's1',
    refusesDemoAccounts,
    requiresVerifiedEmail,
  })

beforeEach(() => {
  asked = []
  sessions = []
})

describe('login', () => {
  it('answers a token of the session that it opened', async () => {
    const reply = await serviceOf().login(
      { email: 'ada@people.example', password, device: 'A phone' },
      'curl',
    )
    expect(reply).toEqual({
      accessToken: 'token of s1',
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^rt_[\w-]{43}$/),
      refreshExpiresIn: 30 * 86_400,
      refreshNonce: expect.stringMatching(/^[\w-]{22}$/),
      user: { ...user, email: 'ada@people.example' },
    })
    expect(sessions).toEqual([
      {
        ...{ id: 's1', userId: 'u1', device: 'A phone', userAgent: 'curl' },
        ...{ refreshHash: expect.stringMatching(/^[0-9a-f]{64}$/), passwordHash, newPasswordHash: undefined },
      },
    ])
  })

  it('is refused when the account was deleted or its password changed meanwhile', async () => {
    await expect(
      serviceOf({ opens: false }).login({ email: 'ada@people.example', password }, undefined),
    ).rejects.toMatchObject({ code: 'INVALID_CREDENTIALS' })
  })

  it('of an address that is not confirmed is told so where that is required, after the right password only', async () => {
    const { login } = serviceOf({ requiresVerifiedEmail: true })
    const email = 'ada@people.example'
    await expect(login({ email, password }, undefined)).rejects.toMatchObject({ code: 'EMAIL_NOT_VERIFIED' })
    await expect(login({ email, password: 'wrong' }, undefined)).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    })
    expect(sessions).toEqual([])
  })

  it('of a demonstration account is refused where those are', async () => {
    const email = ' Admin@Selvedge.Test'
    await expect(
      serviceOf({ refusesDemoAccounts: true }).login({ email, password }, undefined),
    ).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    })
    expect(asked).toEqual(['admin@selvedge.test'])
    expect(sessions).toEqual([])
    await serviceOf().login({ email, password }, undefined)
    expect(sessions).toHaveLength(1)
  })

  it('keeps 256 characters of the user agent and no half of an emoji', async () => {
    await serviceOf().login({ email: 'ada@people.example', password }, `${'x'.repeat(255)}😀`)
    expect(sessions[0]?.userAgent).toBe(`${'x'.repeat(255)}\ufffd`)
  })
})
