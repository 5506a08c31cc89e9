import { z } from '@hono/zod-openapi'
import { roles } from '../shared/actor.ts'
import { nameOf } from '../shared/name.ts'
import { pageFields, reachIssue, withinReach } from '../shared/query.ts'

/** What our access tokens claim beside iss, aud, iat, exp and jti. */
export const AccessClaims = z.object({ sub: z.uuid(), sid: z.uuid(), role: z.enum(roles) })

const transport = z
  .enum(['json', 'cookie'])
  .default('json')
  .describe('How the refresh token travels: in the body, or, for pages, in a cookie that no script can read')

export type Transport = z.output<typeof transport>

export const Login = z
  .strictObject({
    email: z.string().max(254),
    password: z.string().max(1_000),
    device: nameOf(1, 100).optional().describe('What the list of sessions calls this client'),
    transport,
  })
  .openapi('Login', {
    example: {
      email: 'customer@selvedge.test',
      password: 'Selvedge-Dev-1!',
      device: 'Ada’s phone',
      transport: 'json',
    },
  })

export type Login = z.infer<typeof Login>

export const LoggedInUser = z
  .object({
    id: z.uuid(),
    name: z.string(),
    email: z.string(),
    role: z.enum(roles),
    verifiedAt: z.iso.datetime().nullable().describe('When its address was confirmed'),
  })
  .openapi('LoggedInUser', {
    example: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
      name: 'Ada Byron',
      email: 'customer@selvedge.test',
      role: 'user',
      verifiedAt: '2026-11-20T12:05:00.000Z',
    },
  })

export type LoggedInUser = z.infer<typeof LoggedInUser>

export const TokenReply = z
  .object({
    accessToken: z.string().describe('ES256 JWT, typ at+jwt'),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().describe('Seconds'),
    refreshToken: z.string().optional().describe('Absent when it went into the cookie'),
    refreshExpiresIn: z.int().describe('Seconds'),
    refreshNonce: z
      .string()
      .describe('No secret: send it as Idempotency-Key with this refresh token, from every tab of a browser'),
    user: LoggedInUser,
  })
  .openapi('TokenReply', {
    example: {
      accessToken: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl',
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: 'rt_Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS',
      refreshExpiresIn: 2_592_000,
      refreshNonce: 'c2Vzc2lvbi1ub25jZS0xMg',
      user: {
        id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
        name: 'Ada Byron',
        email: 'customer@selvedge.test',
        role: 'user',
        verifiedAt: '2026-11-20T12:05:00.000Z',
      },
    },
  })

export type TokenReply = z.infer<typeof TokenReply>

export const Refresh = z
  .strictObject({ refreshToken: z.string().max(1_000).optional(), transport })
  .refine(({ refreshToken, transport: by }) => (refreshToken !== undefined) === (by === 'json'), {
    path: ['refreshToken'],
    error: 'is required with transport json, and with transport cookie stands in the cookie',
  })
  .openapi('Refresh', { example: { refreshToken: 'rt_Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrS' } })

export const RefreshHeaders = z.object({
  'idempotency-key': z.string().min(1).max(255).optional().openapi({
    description:
      'The refreshNonce that came with the refresh token: a retry within 60 seconds then gets the same successor.',
    example: 'c2Vzc2lvbi1ub25jZS0xMg',
  }),
})

export const Session = z
  .object({
    id: z.uuid(),
    device: z.string().nullable(),
    userAgent: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().describe('Login or the last refresh'),
    expiresAt: z.iso.datetime(),
    current: z.boolean().describe('Whether this request belongs to it'),
  })
  .openapi('Session', {
    example: {
      id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f13',
      device: 'Ada’s phone',
      userAgent: 'Mozilla/5.0',
      createdAt: '2026-11-20T12:00:00.000Z',
      lastUsedAt: '2026-11-20T12:15:00.000Z',
      expiresAt: '2026-12-20T12:15:00.000Z',
      current: true,
    },
  })

export type Session = z.infer<typeof Session>

export const ListSessions = z.strictObject(pageFields).refine(withinReach, reachIssue)

export const KeySet = z.object({ keys: z.array(z.record(z.string(), z.string())) }).openapi('KeySet', {
  example: { keys: [{ kty: 'EC', crv: 'P-256', x: '…', y: '…', kid: '1', alg: 'ES256', use: 'sig' }] },
})
