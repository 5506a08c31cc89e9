import { z } from '@hono/zod-openapi'
import { nameOf } from '../shared/name.ts'
import { pageFields, reachIssue, wholeNumber, withinReach } from '../shared/query.ts'
import { scopes } from '../shared/scopes.ts'

const scope = z.enum(scopes)

/** Seconds for which the old secret may go on beside the new one. */
const maxOverlap = 7 * 86_400

const example = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f15',
  name: 'Warehouse',
  scopes: ['orders:read' as const],
  start: 'sk_live_01997b2c6f0e7c4a9d553f1f6f2f9f15',
  createdAt: '2026-11-20T12:00:00.000Z',
  expiresAt: '2027-11-20T12:00:00.000Z',
  lastUsedAt: null,
  previousUntil: null,
}

export const ApiKey = z
  .object({
    id: z.uuid(),
    name: z.string(),
    scopes: z.array(scope),
    start: z.string().describe('What the key begins with; no secret'),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable().describe('Up to a minute old'),
    previousUntil: z.iso
      .datetime()
      .nullable()
      .describe('Until when the secret before the last rotation works too'),
  })
  .openapi('ApiKey', { example })

export type ApiKey = z.infer<typeof ApiKey>

export const NewApiKey = ApiKey.extend({
  key: z.string().describe('The key itself. It is shown this once and stored nowhere'),
}).openapi('NewApiKey', {
  example: {
    ...example,
    key: `${example.start}_Zq3v8yB_E1h5k9nRtUwXzC2f4JmPsVx0AdGgKjMoQrSnT7bYcUe9LwIh2Df5Gp3aK`,
  },
})

export type NewApiKey = z.infer<typeof NewApiKey>

export const CreateApiKey = z
  .strictObject({
    name: nameOf(1, 100),
    scopes: z
      .array(scope)
      .min(1)
      .max(scopes.length)
      .refine((all) => new Set(all).size === all.length, 'must not repeat a scope'),
    expiresAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('In the future; without it the key does not expire'),
  })
  .openapi('CreateApiKey', { example: { name: example.name, scopes: example.scopes } })

export type CreateApiKey = z.infer<typeof CreateApiKey>

export const RotateApiKey = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(maxOverlap)
      .describe('How long the old secret works beside the new one'),
  })
  .openapi('RotateApiKey', { example: { overlapSeconds: 3_600 } })

export type RotateApiKey = z.infer<typeof RotateApiKey>

export const ListApiKeys = z.strictObject(pageFields).refine(withinReach, reachIssue)

export const UsageOfDays = z.strictObject({ days: wholeNumber(1, 90, 30) })

export const ApiKeyUsage = z
  .object({
    day: z.iso.date().describe('UTC'),
    requests: z.int().describe('Admitted; today’s is up to a minute old'),
  })
  .openapi('ApiKeyUsage', { example: { day: '2026-11-20', requests: 1_234 } })

export type ApiKeyUsage = z.infer<typeof ApiKeyUsage>
