import { z } from '@hono/zod-openapi'
import { idParam } from '../shared/query.ts'
import { linkLife } from './signed-link.ts'
import { variantNames } from './variant.ts'

const variant = z.enum(variantNames)

export const fileParam = idParam.extend({
  variant: variant.openapi({ param: { name: 'variant', in: 'path' }, example: 'thumb' }),
})

/** Of a signed link. Not strict: what mail programs and pages append to addresses opens and closes nothing. */
export const LinkQuery = z.object({
  expires: z.string().optional().describe('Of a signed link'),
  signature: z.string().optional().describe('Of a signed link'),
})

export const MakeLink = z
  .strictObject({
    variant,
    expiresIn: z
      .int()
      .min(linkLife.least)
      .max(linkLife.most)
      .default(linkLife.usual)
      .describe('Seconds that it lives'),
  })
  .openapi('MakeLink', { example: { variant: 'full', expiresIn: 86_400 } })

export const FileLink = z
  .object({
    url: z.url().describe('Opens this variant for whoever has it'),
    expiresAt: z.iso.datetime(),
  })
  .openapi('FileLink', {
    example: {
      url:
        'https://api.example.com/api/v1/files/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f17/full' +
        '?expires=1795608000&signature=3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      expiresAt: '2026-11-25T12:00:00.000Z',
    },
  })
