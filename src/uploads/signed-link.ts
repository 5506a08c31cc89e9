import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a link opens: one variant of one upload. */
type Target = { id: string; variant: string }

/** As they stand in the URL: seconds since 1970, and 256 bits in base64url. */
export type LinkQuery = { expires: string; signature: string }

/** Seconds that a link lives unless asked otherwise, and at most: as long as a presigned URL of S3. */
export const linkLife = { usual: 3_600, least: 60, most: 7 * 86_400 }

/**
 * Links that open one variant of one file to whoever has them, until they expire: nothing is stored, and nothing else
 * is opened by them. The key is derived, so that no other use of the secret makes a signature that fits.
 */
export const createSignedLinks = (secret: string) => {
  const key = createHmac('sha256', secret).update('signed links to files').digest()

  const signatureOf = ({ id, variant }: Target, expires: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([id, variant, expires]))
      .digest('base64url')

  return {
    sign(target: Target, expiresAt: Date): LinkQuery {
      const expires = String(Math.floor(expiresAt.getTime() / 1_000))
      return { expires, signature: signatureOf(target, expires) }
    },

    /** Compares the texts and not the bytes that they stand for: a signature has one spelling. */
    opens(target: Target, { expires, signature }: LinkQuery, now: Date): boolean {
      const wanted = Buffer.from(signatureOf(target, expires))
      const shown = Buffer.from(signature)
      const isOurs = wanted.length === shown.length && timingSafeEqual(wanted, shown)
      return isOurs && now.getTime() < Number(expires) * 1_000
    },
  }
}

export type SignedLinks = ReturnType<typeof createSignedLinks>
