import { makeJwtKeys, makeTokenSecret } from '../../dev/secrets.ts'
import { createTokens } from '../../src/auth/tokens.ts'
import { generousLimits } from '../support/generous-limits.ts'
import type { Catalogue } from './databases.ts'
import type { Call } from './load.ts'
import { createRandom } from './random.ts'

const issuer = 'https://bench.example.com'
const audience = 'selvedge'

const keys = makeJwtKeys()

const tokens = createTokens({ issuer, audience, keys: JSON.parse(keys) })

/** As in production, except that production refuses a database on this machine. No limit is ever reached. */
export const productEnv = (databaseUrl: string, fetchEndpoint: string): Record<string, string> => ({
  ENVIRONMENT: 'preview',
  LOG_LEVEL: 'info',
  CORS_ORIGINS: 'https://shop.example.com',
  JWT_ISSUER: issuer,
  JWT_AUDIENCE: audience,
  JWT_KEYS: keys,
  TOKEN_SECRET: makeTokenSecret(),
  DATABASE_URL: databaseUrl,
  DATABASE_FETCH_ENDPOINT: fetchEndpoint,
  DATABASE_TIMEOUT_MS: '60000',
  LIMITS: generousLimits,
  UPSTASH_REDIS_REST_URL: '',
  // Secrets of what no bench uses.
  UPSTASH_REDIS_REST_TOKEN: 'none',
  OPS_WEBHOOK_URL: 'none',
  RESEND_API_KEY: 'none',
  RESEND_WEBHOOK_SECRET: 'none',
  S3_ACCESS_KEY_ID: 'none',
  S3_SECRET_ACCESS_KEY: 'none',
  SCANNER_URL: 'off',
})

/** Of 15 minutes. */
export const tokenOf = (session: { id: string; sessionId: string }): Promise<string> =>
  tokens.issue({ kind: 'user', role: 'user', ...session })

/** A token of 15 minutes for one of the catalogue's customers. */
export const tokenFor = async ({ client }: Catalogue): Promise<string> => {
  const { rows } = await client.query<{ id: string; sessionId: string }>(
    'select user_id as id, id as "sessionId" from sessions order by id limit 1',
  )
  const [session] = rows
  if (session === undefined) throw new Error('The catalogue has no sessions')
  return await tokenOf(session)
}

/** Orders of random products of the whole catalogue, so that they hardly wait for each other. */
export const createOrders = async (catalogue: Catalogue) => {
  const { rows } = await catalogue.client.query<{ id: string; slug: string }>(
    'select id, slug from products where archived_at is null and stock > 0 order by md5(id::text) limit 20000',
  )
  const { pick, below } = createRandom(1)
  let token = await tokenFor(catalogue)
  const line = () => ({ productId: pick(rows).id, quantity: 1 + below(3) })
  return {
    /** Of a product that can be ordered. */
    slug: pick(rows).slug,
    /** Before what lasts minutes. */
    renewToken: async () => {
      token = await tokenFor(catalogue)
    },
    next: (lines: number): Call => ({
      ...{ method: 'POST', path: '/api/v1/orders', token },
      body: { items: Array.from({ length: lines }, line) },
    }),
  }
}

export type Orders = Awaited<ReturnType<typeof createOrders>>
