import { z } from '@hono/zod-openapi'
import { maxCounted } from './page.ts'
import { findUnstorableText } from './text.ts'

export const wholeNumber = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(fallback)
    .openapi({ type: 'integer', minimum: min, maximum: max, default: fallback })

/** `page` and `limit` of every v1 list, to be spread into the list's own query schema. */
export const pageFields = { page: wholeNumber(1, maxCounted, 1), limit: wholeNumber(1, 100, 20) }

/** An offset costs what it skips: deeper pages are for filters, not for page numbers. */
export const withinReach = <T extends { page: number; limit: number }>({ page, limit }: T): boolean =>
  page * limit <= maxCounted

export const reachIssue = {
  path: ['page'],
  error: `page times limit may be at most ${maxCounted}`,
  // Zod refines an object although its fields have failed, and would multiply what is no number.
  when: ({ issues }: z.core.ParsePayload) => issues.length === 0,
}

/** `sort=field` or `sort=-field`. */
export const sortField = <const F extends string>(fields: readonly F[], fallback: F | `-${F}`) => {
  const choices = fields.flatMap((field): (F | `-${F}`)[] => [field, `-${field}`])
  return z
    .enum(choices)
    .default(fallback as never)
    .describe('Prefix - for descending')
}

export const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .openapi({ type: 'boolean' })

/** An id that a client names: of one thing there is one spelling, by which its object and its bytes are found. */
export const Uuid = z.uuid().toLowerCase()

const exampleId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11'

export const idParam = z.object({
  id: Uuid.openapi({ param: { name: 'id', in: 'path' }, example: exampleId }),
})

export const idOrSlugParam = z.object({
  idOrSlug: z
    .string()
    .max(250)
    .refine((text) => findUnstorableText(text) === undefined)
    .openapi({ param: { name: 'idOrSlug', in: 'path' }, example: 'linen-tablecloth' }),
})
