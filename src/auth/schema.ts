import { z } from '@hono/zod-openapi'
import { roles } from '../shared/actor.ts'

/** What our access tokens claim beside iss, aud, iat, exp and jti. */
export const AccessClaims = z.object({ sub: z.uuid(), sid: z.uuid(), role: z.enum(roles) })

export const Login = z
  .strictObject({ email: z.string().max(254), password: z.string().max(1_000) })
  .openapi('Login', { example: { email: 'customer@selvedge.test', password: 'Selvedge-Dev-1!' } })

export type Login = z.infer<typeof Login>

export const LoggedInUser = z
  .object({ id: z.uuid(), name: z.string(), email: z.string(), role: z.enum(roles) })
  .openapi('LoggedInUser', {
    example: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
      name: 'Ada Byron',
      email: 'customer@selvedge.test',
      role: 'user',
    },
  })

export type LoggedInUser = z.infer<typeof LoggedInUser>

export const TokenReply = z
  .object({
    accessToken: z.string().describe('ES256 JWT, typ at+jwt'),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().describe('Seconds'),
    user: LoggedInUser,
  })
  .openapi('TokenReply', {
    example: {
      accessToken: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl',
      tokenType: 'Bearer',
      expiresIn: 900,
      user: {
        id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
        name: 'Ada Byron',
        email: 'customer@selvedge.test',
        role: 'user',
      },
    },
  })

export type TokenReply = z.infer<typeof TokenReply>

export const KeySet = z.object({ keys: z.array(z.record(z.string(), z.string())) }).openapi('KeySet', {
  example: { keys: [{ kty: 'EC', crv: 'P-256', x: '…', y: '…', kid: '1', alg: 'ES256', use: 'sig' }] },
})
