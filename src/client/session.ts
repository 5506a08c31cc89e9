import { ApiError } from './api-error.ts'
import type { components } from './openapi.ts'
import type { Send } from './send.ts'

export type User = components['schemas']['LoggedInUser']

type TokenReply = components['schemas']['TokenReply']

/** What outlives the page or the program. With the cookie transport the token is not among it. */
export type SavedSession = { refreshToken?: string; refreshNonce: string }

/** Where a session is kept. Shared by the tabs of a browser (local storage), they share the session. */
export type SessionStore = {
  load: () => SavedSession | undefined
  save: (session: SavedSession | undefined) => void
}

export type Credentials = { email: string; password: string; device?: string }

type Options = {
  url: string
  send: Send
  transport: 'json' | 'cookie'
  store: SessionStore
  /** The session is over, and nobody asked for it: log in again. */
  onEnded?: (() => void) | undefined
}

/** Milliseconds before its end at which an access token is no longer used. */
const margin = 30_000

export const memoryStore = (): SessionStore => {
  let saved: SavedSession | undefined
  return {
    load: () => saved,
    save: (session) => {
      saved = session
    },
  }
}

/**
 * A login and what follows from it, as docs/guides/sessions.md tells: a refresh token is used once, with the nonce that
 * came with it as Idempotency-Key, so that a retry after a lost answer, or another tab, gets the same successor.
 */
export const createSession = ({ url, send, transport, store, onEnded }: Options) => {
  let token: { text: string; until: number } | undefined
  let user: User | undefined
  let refreshing: Promise<string> | undefined

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await send(
      new Request(`${url}/api/auth/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
        // Where the cookie is another origin's: one of CORS_ORIGINS.
        ...(transport === 'cookie' ? { credentials: 'include' as const } : {}),
      }),
    )
    return ((await response.json()) as { data: TokenReply }).data
  }

  const accept = (reply: TokenReply): string => {
    token = { text: reply.accessToken, until: Date.now() + reply.expiresIn * 1_000 }
    user = reply.user
    const { refreshToken, refreshNonce } = reply
    store.save({ refreshNonce, ...(refreshToken === undefined ? {} : { refreshToken }) })
    return token.text
  }

  const forget = () => {
    token = undefined
    user = undefined
    store.save(undefined)
  }

  const refresh = async (): Promise<string> => {
    const saved = store.load()
    if (saved === undefined) {
      throw new ApiError({ status: 401, code: 'UNAUTHENTICATED', message: 'Nobody is logged in' })
    }
    const { refreshToken, refreshNonce } = saved
    const body = transport === 'json' ? { transport, refreshToken } : { transport }
    try {
      return accept(await post('refresh', body, { 'Idempotency-Key': refreshNonce }))
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        forget()
        onEnded?.()
      }
      throw error
    }
  }

  /** One at a time: all who need it wait for the same. @throws ApiError */
  const renew = (): Promise<string> =>
    (refreshing ??= refresh().finally(() => {
      refreshing = undefined
    }))

  const accessToken = async (): Promise<string | undefined> => {
    if (token !== undefined && Date.now() < token.until - margin) return token.text
    return store.load() === undefined ? undefined : await renew()
  }

  return {
    get user(): User | undefined {
      return user
    },
    /** For Authorization; undefined when nobody is logged in. @throws ApiError when it cannot be renewed */
    accessToken,
    /** After a refusal of that token: the next one, unless there is another already. @throws ApiError */
    renewAfter: (refused: string): Promise<string> =>
      token !== undefined && token.text !== refused ? Promise.resolve(token.text) : renew(),
    /** @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED and others */
    async login({ email, password, device }: Credentials): Promise<User> {
      const reply = await post('login', { email, password, device, transport })
      accept(reply)
      return reply.user
    },
    /** Who is logged in from before; undefined: nobody. @throws ApiError when that cannot be known now */
    async restore(): Promise<User | undefined> {
      try {
        await accessToken()
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401) throw error
      }
      return user
    },
    /** Ends the session there and here; here also when the API cannot be reached. */
    async logout(): Promise<void> {
      try {
        const text = await accessToken()
        if (text === undefined) return
        await send(
          new Request(`${url}/api/auth/logout`, {
            method: 'POST',
            headers: { Authorization: `Bearer ${text}` },
            ...(transport === 'cookie' ? { credentials: 'include' as const } : {}),
          }),
        )
      } finally {
        forget()
      }
    },
  }
}
