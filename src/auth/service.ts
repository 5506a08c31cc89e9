import { createHash } from 'node:crypto'
import type { UserActor } from '../shared/actor.ts'
import { normaliseEmail } from '../shared/email.ts'
import { AppError, notFound } from '../shared/errors.ts'
import { sessionDays } from './session.ts'
import { hashPassword, needsRehash, verifyPassword } from './password.ts'
import type { AuthRepository } from './repository.ts'
import type { LoggedInUser, Login, TokenReply } from './schema.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { tokenReply } from './token-reply.ts'
import type { Tokens } from './tokens.ts'

type Deps = {
  auth: AuthRepository
  tokens: Tokens
  refreshTokens: RefreshTokens
  newId: () => string
  /** Where passwords are published: production knows no account there. */
  refusesDemoAccounts: boolean
  /** Nobody logs in before the address is confirmed. */
  requiresVerifiedEmail: boolean
}

type Credentials = Omit<Login, 'transport'>

/** `.test` is nobody's (RFC 2606); all demonstration accounts live there. */
const isDemo = (email: string): boolean => email.endsWith('@selvedge.test')

const wrongCredentials = (): AppError =>
  new AppError('INVALID_CREDENTIALS', 'E-mail address or password is wrong')

const unverified = (): AppError =>
  new AppError('EMAIL_NOT_VERIFIED', 'Confirm your e-mail address first; a new link can be mailed')

/** By the address: an account that does not exist counts as one that does. */
const accountKey = (email: string): string =>
  `account:${createHash('sha256').update(normaliseEmail(email)).digest('hex')}`

export const createAuthService = (deps: Deps) => {
  const { auth, tokens, refreshTokens, newId, refusesDemoAccounts, requiresVerifiedEmail } = deps

  /** Undefined when the account is no longer as it was when the password was checked. */
  const open = async ({ email, password, device }: Credentials, userAgent: string | undefined) => {
    const address = normaliseEmail(email)
    const known = await auth.findByEmail(address)
    const found = refusesDemoAccounts && isDemo(address) ? undefined : known
    if (!verifyPassword(password, found?.passwordHash) || found === undefined) throw wrongCredentials()
    const { passwordHash, ...user } = found
    // Only whoever knows the password learns that there is an account.
    if (requiresVerifiedEmail && user.verifiedAt === null) throw unverified()
    const refresh = refreshTokens.first()
    const session = {
      id: newId(),
      userId: user.id,
      device,
      userAgent: userAgent?.slice(0, 256).toWellFormed(),
      refreshHash: refresh.hash,
      passwordHash,
      newPasswordHash: needsRehash(passwordHash) ? hashPassword(password) : undefined,
    }
    return (await auth.openSession(session)) ? { user, sessionId: session.id, refresh } : undefined
  }

  return {
    /**
     * Two calls to the database; an unknown address costs the same work as a wrong password. Only when the account
     * changed between the two (a new password, or another login that renewed the hash) both are made once more.
     */
    async login(credentials: Credentials, userAgent: string | undefined): Promise<TokenReply> {
      const opened = (await open(credentials, userAgent)) ?? (await open(credentials, userAgent))
      if (opened === undefined) throw wrongCredentials()
      return await tokenReply(tokens, opened)
    },

    /**
     * Whom an attempt to log in counts against: the account, whether it exists or not; or the session that sent a token
     * of ours, when it lives and is of that account. Then others who guess cannot lock its owner out (OWASP, "Slow Down
     * Online Guessing Attacks with Device Cookies"). A token only has to be genuine: a session outlives it.
     */
    async attemptKey(email: string, token: string | undefined): Promise<string> {
      const address = normaliseEmail(email)
      const actor = token && (await tokens.verify(token, { expiredFor: sessionDays * 86_400 }))
      if (actor && (await auth.isSessionOf(actor, address))) return `session:${actor.sessionId}`
      return accountKey(address)
    },

    accountKey,

    verify: (token: string) => tokens.verify(token),

    keySet: () => tokens.jwks,

    async me(actor: UserActor): Promise<LoggedInUser> {
      const user = await auth.findActor(actor)
      if (user === undefined) throw notFound('User')
      return user
    },

    purgeExpired: auth.purgeExpired,
  }
}
