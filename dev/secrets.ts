import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { readJson, writeAtomically } from './state.ts'

/** One maker for each variable whose value is random on every machine. */
const makers = {
  JWT_KEYS: makeJwtKeys,
  RESEND_WEBHOOK_SECRET: makeWebhookSecret,
  TOKEN_SECRET: makeTokenSecret,
} satisfies Record<string, () => string>

/** The random secrets of this stack: made when first needed, then kept in its folder. */
export function loadSecrets(file: string): Record<string, string> {
  const kept = z.record(z.string(), z.string()).safeParse(readJson(file)).data ?? {}
  const made = Object.entries(makers).flatMap(([name, make]) =>
    Object.hasOwn(kept, name) ? [] : [[name, make()] as const],
  )
  const secrets = { ...kept, ...Object.fromEntries(made) }
  if (made.length > 0) writeAtomically(file, secrets)
  return secrets
}

/** A private ES256 JWK. Of the `kid` the end is random, so that no two keys ever share one. */
export function makeSigningKey(name: string) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  return {
    kty: 'EC' as const,
    crv: 'P-256' as const,
    x,
    y,
    d,
    kid: `${name}-${randomBytes(8).toString('hex')}`,
  }
}

/** A JSON array of one private ES256 JWK. Production refuses a `kid` that begins with `dev-`. */
export function makeJwtKeys(): string {
  return JSON.stringify([{ ...makeSigningKey('dev'), alg: 'ES256', use: 'sig' }])
}

/** As Resend makes them: 24 random bytes. */
export function makeWebhookSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`
}

/** 32 random bytes. Production refuses what begins with `dev-`. */
export function makeTokenSecret(): string {
  return `dev-${randomBytes(32).toString('base64url')}`
}
