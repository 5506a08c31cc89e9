import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A key in clear: seen when it is made, and in requests. */
export type Secret = {
  keyId: string
  key: string
  /** SHA-256 in hex: all that is stored. */
  hash: string
}

/** `sk_live_`, the id without dashes, 256 random bits in base64url, and 128 bits of MAC over all before them. */
const form = /^(sk_(?:live|test)_([0-9a-f]{32})_[\w-]{43})([\w-]{22})$/

const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/**
 * Makes and reads API keys. The MAC is no second secret: it lets a Worker refuse what was never a key of ours by itself,
 * so that guessing reaches neither an object nor the database. Keys of production and of everything else differ by name
 * and do not pass for each other.
 */
export const createSecrets = (tokenSecret: string, { isProduction }: { isProduction: boolean }) => {
  const macKey = createHmac('sha256', tokenSecret).update('api key mac').digest()
  const prefix = `sk_${isProduction ? 'live' : 'test'}_`

  const macOf = (text: string): string =>
    createHmac('sha256', macKey).update(text).digest('base64url').slice(0, 22)

  const of = (keyId: string, key: string): Secret => ({
    keyId,
    key,
    hash: createHash('sha256').update(key).digest('hex'),
  })

  return {
    /** What keys of this environment begin with. */
    prefix,

    make(keyId: string): Secret {
      const body = `${prefix}${keyId.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`
      return of(keyId, body + macOf(body))
    },

    /** Undefined when it cannot be a key of ours. */
    read(token: string): Secret | undefined {
      const [, body, hex, mac] = form.exec(token) ?? []
      if (body === undefined || hex === undefined || mac === undefined || !body.startsWith(prefix))
        return undefined
      return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(body))) ? of(uuidOf(hex), token) : undefined
    },
  }
}

export type Secrets = ReturnType<typeof createSecrets>
