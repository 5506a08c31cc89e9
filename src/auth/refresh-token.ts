import { createHash, createHmac, randomBytes } from 'node:crypto'

export type RefreshToken = {
  token: string
  /** SHA-256 in hex: all that is stored. */
  hash: string
  /** Names the token without betraying it: pages share it between tabs, and refresh with it as Idempotency-Key. */
  nonce: string
}

/** 256 bits in base64url; the prefix is what scanners for leaked secrets look for. */
const form = /^rt_[\w-]{43}$/

/**
 * Makes refresh tokens. A successor is a function of its parent and the client's key, so that a retry gets the same one
 * although it is kept nowhere; `secret` keeps whoever has the parent from making it.
 */
export const createRefreshTokens = (secret: string) => {
  const mac = (purpose: string, ...parts: string[]): string =>
    createHmac('sha256', secret)
      .update(JSON.stringify([purpose, ...parts]))
      .digest('base64url')

  const of = (token: string): RefreshToken => ({
    token,
    hash: createHash('sha256').update(token).digest('hex'),
    nonce: mac('refresh nonce', token).slice(0, 22),
  })

  const random = (): string => randomBytes(32).toString('base64url')

  return {
    /** Of a new session. */
    first: (): RefreshToken => of(`rt_${random()}`),

    /** Without a key nobody else ever gets the same. */
    successor: ({ token }: RefreshToken, key: string | undefined): RefreshToken =>
      of(`rt_${key === undefined ? random() : mac('refresh successor', token, key)}`),

    /** Undefined when it cannot be a token of ours. */
    read: (text: string): RefreshToken | undefined => (form.test(text) ? of(text) : undefined),
  }
}

export type RefreshTokens = ReturnType<typeof createRefreshTokens>
