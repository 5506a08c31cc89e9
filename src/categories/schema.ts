import { z } from '@hono/zod-openapi'
import { nameOf } from '../shared/name.ts'
import { pageFields, reachIssue, sortField, withinReach } from '../shared/query.ts'
import { Slug } from '../shared/slug.ts'

const example = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f13',
  name: 'Table linen',
  slug: 'table-linen',
  archivedAt: null,
  createdAt: '2026-11-20T12:00:00.000Z',
  updatedAt: '2026-11-20T12:00:00.000Z',
}

export const Category = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    archivedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Category', { example })

export type Category = z.infer<typeof Category>

const name = nameOf(2, 80)

export const CreateCategory = z
  .strictObject({ name, slug: Slug.optional().describe('Made from the name when absent') })
  .openapi('CreateCategory', { example: { name: 'Table linen' } })

export type CreateCategory = z.infer<typeof CreateCategory>

export const ChangeCategory = z
  .strictObject({
    name: name.optional(),
    slug: Slug.optional(),
    archived: z.literal(false).optional().describe('Brings an archived category back'),
  })
  .refine((change) => Object.keys(change).length > 0, 'must change something')
  .openapi('ChangeCategory', { example: { name: 'Kitchen linen' } })

export type ChangeCategory = z.infer<typeof ChangeCategory>

export const ListCategories = z
  .strictObject({ ...pageFields, sort: sortField(['name', 'createdAt'], 'name') })
  .refine(withinReach, reachIssue)

export type ListCategories = z.infer<typeof ListCategories>
