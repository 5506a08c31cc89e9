import type { Context } from 'hono'
import type { UserActor } from '../shared/actor.ts'
import { AppError } from '../shared/errors.ts'
import { bearerOf } from './bearer.ts'
import type { AppEnv } from './context.ts'

/** What browsers and programs offer; the server picks the first. */
export const subprotocol = 'selvedge.v1'
export const ticketPrefix = 'ticket.'

const offeredBy = ({ req }: Context): string[] =>
  (req.header('Sec-WebSocket-Protocol') ?? '').split(',').flatMap((part) => part.trim() || [])

/**
 * Before anything of an upgrade is looked at. A browser always says whose page opens a socket, and nothing else keeps a
 * foreign page from doing so: CORS does not hold for sockets. Who says nothing is no browser.
 * @throws UPGRADE_REQUIRED, ORIGIN_REFUSED
 */
export const requireUpgrade = (c: Context<AppEnv>): void => {
  if (c.req.header('Upgrade')?.toLowerCase() !== 'websocket') {
    throw new AppError('UPGRADE_REQUIRED', 'Open a WebSocket here', { headers: { Upgrade: 'websocket' } })
  }
  const offered = offeredBy(c)
  if (offered.length > 0 && !offered.includes(subprotocol)) {
    throw new AppError('UPGRADE_REQUIRED', `Offer ${subprotocol}: no other version is spoken here`, {
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': subprotocol },
    })
  }
  const origin = c.req.header('Origin')
  const isOwn = origin === new URL(c.req.url).origin || c.var.config.corsOrigins.includes(origin ?? '')
  if (origin !== undefined && !isOwn) {
    throw new AppError('ORIGIN_REFUSED', 'A socket must be opened by a page of ours, or by no page')
  }
}

/**
 * The ticket among the offered subprotocols, or else the access token.
 * @throws UNAUTHENTICATED
 */
export const credentialOf = async (
  c: Context<AppEnv>,
): Promise<{ ticket: string } | { actor: UserActor }> => {
  const ticket = offeredBy(c).find((one) => one.startsWith(ticketPrefix))
  if (ticket !== undefined) return { ticket: ticket.slice(ticketPrefix.length) }
  const token = bearerOf(c.req.header('Authorization'))
  const actor = token === undefined ? undefined : await c.var.services.auth.verify(token)
  if (actor !== undefined) return { actor }
  throw new AppError(
    'UNAUTHENTICATED',
    'Send a ticket as subprotocol, or an access token as Authorization: Bearer',
  )
}

/** An object's answer to an upgrade as one whose headers may still be added to; the picked subprotocol is named. */
export const upgraded = (c: Context, response: Response): Response => {
  // The socket is copied with the rest of it.
  const copy = new Response(null, response)
  if (offeredBy(c).includes(subprotocol)) copy.headers.set('Sec-WebSocket-Protocol', subprotocol)
  return copy
}
