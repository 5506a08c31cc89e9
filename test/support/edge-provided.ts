import type { Clamds } from './clamd.ts'

/** Of every account that tests make. */
export const password = 'Warp-and-Weft-7'

/** What edge-setup.ts, in Node, hands to the configuration and to the tests in the Worker's runtime. */
type Provided = {
  databaseUrl: string
  fetchEndpoint: string
  /** JSON array of two private ES256 JWKs with the kids `test-1` and `test-2`. */
  jwtKeys: string
  /** What refresh tokens and mailed tokens are derived by. */
  tokenSecret: string
  /** The local Resend endpoint. */
  resendUrl: string
  /** What its webhooks would be signed with. */
  webhookSecret: string
  /** Scanners, or why there are none. */
  clamds: Clamds
  /** SELVEDGE_PROOF=full: as many random cases as time allows. */
  isFullProof: boolean
  /** CI=true: what cannot be proved is a failure. */
  mustScan: boolean
  /** PHC string of `password`. */
  passwordHash: string
}

declare module 'vitest' {
  interface ProvidedContext extends Provided {}
}
