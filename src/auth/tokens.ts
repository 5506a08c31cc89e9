import { createLocalJWKSet, errors, importJWK, jwtVerify, SignJWT } from 'jose'
import type { UserActor } from '../shared/actor.ts'
import { newId } from '../shared/ids.ts'
import { AccessClaims } from './schema.ts'

/** Seconds. */
const life = 15 * 60

const algorithm = 'ES256'

/** Ours are below 700 characters; a header of 64 KB is not worth a parse. */
const maxLength = 4_096

type PrivateKey = {
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
  d: string
  kid: string
  /** ISO 8601. */
  signsFrom?: string | undefined
  retiresAt?: string | undefined
}

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

const isPast = (moment: string): boolean => Date.parse(moment) <= Date.now()

/** Asked at each use: an isolate may outlive a rotation. */
const isLive = ({ retiresAt }: PrivateKey): boolean => retiresAt === undefined || !isPast(retiresAt)

const maySign = (key: PrivateKey): boolean =>
  isLive(key) && (key.signsFrom === undefined || isPast(key.signsFrom))

/**
 * Access tokens (RFC 9068 `at+jwt`): the first key whose time has come signs, all that have not retired verify. Keys come from configuration alone;
 * nothing in a token's header can name another.
 */
export const createTokens = ({ issuer, audience, keys }: Settings) => {
  const resolveKey = createLocalJWKSet({ keys: keys.map(publicKey) })

  return {
    /** What others verify by. */
    get jwks() {
      return { keys: keys.filter(isLive).map(publicKey) }
    },

    life,

    async issue({ id, role, sessionId }: UserActor): Promise<string> {
      const signing = keys.find(maySign) ?? keys[0]
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
    async verify(token: string, { expiredFor = 0 } = {}): Promise<UserActor | undefined> {
      if (token.length > maxLength) return undefined
      try {
        const { payload, protectedHeader } = await jwtVerify(token, resolveKey, {
          issuer,
          audience,
          algorithms: [algorithm],
          typ: 'at+jwt',
          clockTolerance: expiredFor,
          requiredClaims: ['exp', 'iat', 'jti'],
        })
        if (!keys.some((key) => key.kid === protectedHeader.kid && isLive(key))) return undefined
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
