import { createLocalJWKSet, errors, importJWK, jwtVerify, SignJWT } from 'jose'
import type { Actor } from '../shared/actor.ts'
import { newId } from '../shared/ids.ts'
import { AccessClaims } from './schema.ts'

/** Seconds. */
const life = 15 * 60

const algorithm = 'ES256'

/** Ours are below 700 characters; a header of 64 KB is not worth a parse. */
const maxLength = 4_096

type PrivateKey = { kty: 'EC'; crv: 'P-256'; x: string; y: string; d: string; kid: string }

type Settings = { issuer: string; audience: string; keys: PrivateKey[] }

const publicKey = ({ kty, crv, x, y, kid }: PrivateKey) => ({
  kty,
  crv,
  x,
  y,
  kid,
  alg: algorithm,
  use: 'sig',
})

/**
 * Access tokens (RFC 9068 `at+jwt`): the first key signs, all of them verify. Keys come from configuration alone;
 * nothing in a token's header can name another.
 */
export const createTokens = ({ issuer, audience, keys }: Settings) => {
  const jwks = { keys: keys.map(publicKey) }
  const resolveKey = createLocalJWKSet(jwks)

  return {
    jwks,

    life,

    async issue({ id, role, sessionId }: Actor): Promise<string> {
      const [signing] = keys
      if (signing === undefined) throw new Error('No signing key')
      return await new SignJWT({ role, sid: sessionId })
        .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: signing.kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(id)
        .setIssuedAt()
        .setExpirationTime(`${life}s`)
        .setJti(newId())
        .sign(await importJWK(signing, algorithm))
    },

    /**
     * Who the token names, undefined when it is not a valid access token of ours. It may have expired `expiredFor`
     * seconds ago.
     */
    async verify(token: string, { expiredFor = 0 } = {}): Promise<Actor | undefined> {
      if (token.length > maxLength) return undefined
      try {
        const { payload } = await jwtVerify(token, resolveKey, {
          issuer,
          audience,
          algorithms: [algorithm],
          typ: 'at+jwt',
          clockTolerance: expiredFor,
          requiredClaims: ['exp', 'iat', 'jti'],
        })
        const { data } = AccessClaims.safeParse(payload)
        return data && { kind: 'user', id: data.sub, role: data.role, sessionId: data.sid }
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
  }
}

export type Tokens = ReturnType<typeof createTokens>
