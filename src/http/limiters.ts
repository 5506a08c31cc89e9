import type { Context } from 'hono'
import { z } from '@hono/zod-openapi'
import type { Config } from '../config.ts'
import { networkOf } from '../shared/address.ts'
import type { AppEnv } from './context.ts'
import { bearerOf, isApiKey } from './bearer.ts'
import {
  countsAsConfirm,
  countsAsEmailChange,
  countsAsFile,
  countsAsForgot,
  countsAsLogin,
  countsAsPassword,
  countsAsRegister,
  countsAsUpload,
  isMarked,
  takesKeys,
  unlimited,
} from './middleware/limit-marks.ts'
import { rateLimiter } from './middleware/rate-limiter.ts'

/**
 * Only Cloudflare sets this header, and overwrites what a client sends; X-Forwarded-For is whatever the client likes.
 * Without it (a service binding, a test) all such requests count as one client, so that leaving it out gains nothing.
 */
const addressOf = (c: Context<AppEnv>): string =>
  `ip:${networkOf(c.req.header('CF-Connecting-IP') ?? '') ?? 'unknown'}`

/**
 * A key of ours where it may be used is counted there, in the same call that says whose it is. Whatever only looks like one,
 * and a key where none may be used, counts by its address.
 */
const countsByKey = (c: Context<AppEnv>): boolean => {
  const token = bearerOf(c.req.header('Authorization'))
  return (
    token !== undefined &&
    isApiKey(token) &&
    isMarked(c, takesKeys) &&
    c.var.services.apiKeys.isGenuine(token)
  )
}

const Attempt = z.object({ email: z.string() })

const PasswordCheck = z.object({ currentPassword: z.string() })

/** More than the validator takes for JSON: what it would read must not go uncounted. */
const mayBeJson = (c: Context<AppEnv>): boolean => /json/i.test(c.req.header('Content-Type') ?? '')

/** hono keeps the parsed body: what is read here is what the validator reads. */
const bodyOf = async (c: Context<AppEnv>): Promise<unknown> =>
  mayBeJson(c) ? await c.req.json().catch(() => undefined) : undefined

/** The address that such a request is about; what has none is refused by the validation that follows. */
const emailOf = async (
  c: Context<AppEnv>,
  ...marks: (typeof countsAsLogin)[]
): Promise<string | undefined> =>
  isMarked(c, ...marks) ? Attempt.safeParse(await bodyOf(c)).data?.email : undefined

/** The account that a login is for. */
const accountOf = async (c: Context<AppEnv>): Promise<string | undefined> => {
  const email = await emailOf(c, countsAsLogin)
  if (email === undefined) return undefined
  return await c.var.services.auth.attemptKey(email, bearerOf(c.req.header('Authorization')))
}

/** Who would get the mail, known or not. */
const recipientOf =
  (...marks: (typeof countsAsForgot)[]) =>
  async (c: Context<AppEnv>): Promise<string | undefined> => {
    const email = await emailOf(c, ...marks)
    return email === undefined ? undefined : c.var.services.auth.accountKey(email)
  }

/** The account whose password is shown once more; who has no valid token is refused by the authentication that follows. */
const ownerOf = async (c: Context<AppEnv>): Promise<string | undefined> => {
  if (!isMarked(c, countsAsPassword, countsAsEmailChange)) return undefined
  if (!PasswordCheck.safeParse(await bodyOf(c)).success) return undefined
  const token = bearerOf(c.req.header('Authorization'))
  const actor = token && (await c.var.services.auth.verify(token))
  return actor ? `user:${actor.id}` : undefined
}

/** Whose upload it is; a token that is not valid is refused by the route. */
const uploaderOf = async (c: Context<AppEnv>): Promise<string | undefined> => {
  const token = isMarked(c, countsAsUpload) ? bearerOf(c.req.header('Authorization')) : undefined
  const actor = token === undefined ? undefined : await c.var.services.auth.verify(token)
  return actor && `user:${actor.id}`
}

/** Every policy, in the order in which they are met. */
export const createLimiters = ({ limits, upstash }: Config) => ({
  /** Before anything of the request but its address is looked at. */
  perAddress: rateLimiter(
    {
      name: 'global',
      ...limits.global,
      keyGenerator: (c) =>
        isMarked(c, unlimited) || isMarked(c, countsAsFile) || countsByKey(c) ? undefined : addressOf(c),
      store: upstash === undefined ? 'objects' : 'upstash',
      failMode: 'open',
    },
    {
      name: 'file',
      ...limits.file,
      keyGenerator: (c) => (isMarked(c, countsAsFile) ? addressOf(c) : undefined),
      store: upstash === undefined ? 'objects' : 'upstash',
      failMode: 'open',
    },
    {
      name: 'login',
      ...limits.login,
      keyGenerator: (c) => (isMarked(c, countsAsLogin) ? addressOf(c) : undefined),
      store: 'objects',
      failMode: 'local',
    },
    {
      name: 'register',
      ...limits.register,
      keyGenerator: (c) => (isMarked(c, countsAsRegister) ? addressOf(c) : undefined),
      store: 'objects',
      failMode: 'local',
    },
  ),

  /** Once it is known who asks, and before what they ask is looked at. */
  perIdentity: rateLimiter(
    {
      name: 'account',
      ...limits.account,
      keyGenerator: accountOf,
      store: 'objects',
      failMode: 'local',
    },
    {
      name: 'forgot',
      ...limits.forgot,
      keyGenerator: recipientOf(countsAsForgot),
      store: 'objects',
      failMode: 'local',
    },
    {
      name: 'confirm',
      ...limits.confirm,
      keyGenerator: recipientOf(countsAsRegister, countsAsConfirm, countsAsEmailChange),
      store: 'objects',
      failMode: 'local',
    },
    {
      name: 'password',
      ...limits.password,
      keyGenerator: ownerOf,
      store: 'objects',
      failMode: 'local',
    },
    {
      name: 'upload',
      ...limits.upload,
      keyGenerator: uploaderOf,
      store: 'objects',
      failMode: 'local',
    },
  ),
})
