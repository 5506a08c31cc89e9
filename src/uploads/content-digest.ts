import { createHash } from 'node:crypto'
import { AppError, invalid } from '../shared/errors.ts'

/** `sha-256=:<base64>:` of a dictionary of digests (RFC 9530, section 2; RFC 8941). */
const ofSha256 = /(?:^|,)[ \t]*sha-256[ \t]*=[ \t]*:([A-Za-z0-9+/]{43}=):[ \t]*(?:;[^,]*)?(?:,|$)/i

/**
 * The SHA-256 that Content-Digest names, hexadecimal; undefined without the header.
 * @throws VALIDATION_FAILED when it names none: a digest that is not held against the bytes would only seem to guard them
 */
export const digestOf = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  const [, base64] = ofSha256.exec(header) ?? []
  if (base64 === undefined) {
    throw invalid({ field: 'Content-Digest', message: 'must be sha-256=:<base64>:' })
  }
  return Buffer.from(base64, 'base64').toString('hex')
}

export const expectDigest = (expected: string | undefined, actual: string): void => {
  if (expected === undefined || expected === actual) return
  throw new AppError('DIGEST_MISMATCH', 'The bytes are not those that Content-Digest names')
}

/** The same bytes; fails at their end when they are others than the digest names. */
export async function* digested(
  source: AsyncIterable<Uint8Array>,
  expected: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
  expectDigest(expected, hash.digest('hex'))
}
