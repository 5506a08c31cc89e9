import { z } from '@hono/zod-openapi'

export const Health = z
  .object({
    status: z.literal('ok'),
    timestamp: z.iso.datetime(),
    uptime: z.number().describe('Seconds since this isolate served its first request'),
    version: z.string(),
  })
  .openapi('Health', {
    example: { status: 'ok', timestamp: '2026-11-20T12:00:00.000Z', uptime: 42.5, version: '0.1.0' },
  })

const Check = z.object({ status: z.enum(['up', 'down']), latencyMs: z.int() })

export const Readiness = z
  .object({ status: z.enum(['ready', 'unavailable']), checks: z.object({ database: Check }) })
  .openapi('Readiness', {
    example: { status: 'ready', checks: { database: { status: 'up', latencyMs: 3 } } },
  })

export type Readiness = z.infer<typeof Readiness>
