import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { findTargetHandler } from 'hono/utils/handler'
import type { AppEnv } from '../context.ts'

/** Does nothing when its turn comes: what is asked is whether the route that will answer carries it. */
const mark = () => createMiddleware<AppEnv>((_, next) => next())

/** On routes that no limit counts: probes, keys, documentation. */
export const unlimited = mark()

/** On routes where a password can be guessed. */
export const countsAsLogin = mark()

/** On routes that mail to whatever address is asked for. */
export const countsAsForgot = mark()

/** On routes that an API key may use: its own limit counts it there. */
export const takesKeys = mark()

/** On routes that a page asks for each of its images. */
export const countsAsFile = mark()

/** On routes where an account begins to upload a file. */
export const countsAsUpload = mark()

/** Beside one of these, on routes whose handler reads the body as it comes. */
export const streamed = mark()
/** On the route that makes accounts, and mails. */
export const countsAsRegister = mark()

/** On routes that mail to an address that is to be confirmed. */
export const countsAsConfirm = mark()

/** On routes where whoever is logged in shows the password once more. */
export const countsAsPassword = mark()

/** The same, where a mail to an address that is to be confirmed follows. */
export const countsAsEmailChange = mark()

/** On all others. */
export const limited = mark()

/**
 * Asks the router itself, so that no spelling of a path (slashes, encodings, HEAD for GET) is read in one way by the
 * limits and in another by the route.
 */
export const isMarked = (c: Context<AppEnv>, ...wanted: (typeof unlimited)[]): boolean =>
  matchedRoutes(c).some(({ handler }) => (wanted as unknown[]).includes(findTargetHandler(handler)))
