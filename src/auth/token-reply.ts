import type { UserActor } from '../shared/actor.ts'
import type { RefreshToken } from './refresh-token.ts'
import { sessionDays } from './session.ts'
import type { LoggedInUser, TokenReply } from './schema.ts'

type Issuer = { issue: (actor: UserActor) => Promise<string>; life: number }

type Held = { user: LoggedInUser; sessionId: string; refresh: RefreshToken }

/** What login and refresh answer. */
export const tokenReply = async (
  { issue, life }: Issuer,
  { user, sessionId, refresh }: Held,
): Promise<TokenReply> => ({
  accessToken: await issue({ kind: 'user', id: user.id, role: user.role, sessionId }),
  tokenType: 'Bearer',
  expiresIn: life,
  refreshToken: refresh.token,
  refreshExpiresIn: sessionDays * 86_400,
  refreshNonce: refresh.nonce,
  user,
})
