import { z } from '@hono/zod-openapi'
import { nameOf } from '../shared/name.ts'
import { Price } from '../shared/money.ts'
import { flag, pageFields, reachIssue, sortField, Uuid, withinReach } from '../shared/query.ts'
import { Slug } from '../shared/slug.ts'
import { maxImages, repeatedAt } from './gallery.ts'
import { maxStock, systemReasons } from './stock.ts'

const image = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f16',
  variants: {
    thumb: { url: '/api/v1/files/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f16/thumb', width: 150, height: 150 },
    medium: { url: '/api/v1/files/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f16/medium', width: 800, height: 533 },
    full: { url: '/api/v1/files/01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f16/full', width: 2_400, height: 1_600 },
  },
}

const example = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11',
  name: 'Linen tablecloth',
  slug: 'linen-tablecloth',
  description: 'Washed linen with a selvedge on both long sides, 140 by 240 cm.',
  price: '79.90',
  stock: 42,
  category: { id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f13', name: 'Table linen', slug: 'table-linen' },
  images: [image],
  archivedAt: null,
  createdAt: '2026-11-20T12:00:00.000Z',
  updatedAt: '2026-11-20T12:00:00.000Z',
}

const Variant = z.object({
  url: z.string().describe('Path of a WebP image'),
  width: z.int(),
  height: z.int(),
})

const Image = z.object({
  id: z.uuid().describe('Of its upload'),
  variants: z.object({ thumb: Variant, medium: Variant, full: Variant }),
})

export const Product = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    description: z.string(),
    price: z.string().describe('Decimal'),
    stock: z.int(),
    category: z.object({ id: z.uuid(), name: z.string(), slug: z.string() }),
    images: z.array(Image).describe('In the order in which they are shown'),
    archivedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Product', { example })

export type Product = z.infer<typeof Product>

const name = nameOf(2, 200)
const description = z.string().trim().max(5_000)

const imageIds = z
  .array(Uuid)
  .max(maxImages)
  .superRefine((ids, context) => {
    for (const n of repeatedAt(ids))
      context.addIssue({ code: 'custom', path: [n], message: 'is there twice' })
  })
  .describe('Ids of uploads: images of yours that are ready, in the order in which they are shown')
  .openapi({ uniqueItems: true })

export const CreateProduct = z
  .strictObject({
    name,
    slug: Slug.optional().describe('Made from the name when absent'),
    description: description.default(''),
    price: Price,
    stock: z.int().min(0).max(maxStock).default(0),
    categoryId: Uuid,
    imageIds: imageIds.default([]),
  })
  .openapi('CreateProduct', {
    example: { name: example.name, price: example.price, stock: 42, categoryId: example.category.id },
  })

export type CreateProduct = z.infer<typeof CreateProduct>

/** Stock is changed by its own operation, because every change of it is in the ledger. */
export const ChangeProduct = z
  .strictObject({
    name: name.optional(),
    slug: Slug.optional(),
    description: description.optional(),
    price: Price.optional(),
    categoryId: Uuid.optional(),
    imageIds: imageIds.optional().describe('In place of all that it has'),
    archived: z.literal(false).optional().describe('Brings an archived product back'),
  })
  .refine((change) => Object.keys(change).length > 0, 'must change something')
  .openapi('ChangeProduct', { example: { price: '69.90' } })

export type ChangeProduct = z.infer<typeof ChangeProduct>

export const ChangeStock = z
  .strictObject({
    delta: z
      .int()
      .min(-maxStock)
      .max(maxStock)
      .refine((delta) => delta !== 0, 'must not be 0'),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .refine((reason) => !systemReasons.includes(reason), 'is a reason of the system'),
  })
  .openapi('ChangeStock', { example: { delta: -2, reason: 'damaged in storage' } })

export type ChangeStock = z.infer<typeof ChangeStock>

export const ListProducts = z
  .strictObject({
    ...pageFields,
    category: z.string().max(120).optional().describe('Id or slug of a category'),
    q: z.string().trim().min(1).max(200).optional().describe('Full-text search in name and description'),
    minPrice: Price.optional(),
    maxPrice: Price.optional(),
    inStock: flag.optional(),
    archived: flag.optional().describe('Administrators only: archived products in place of live ones'),
    sort: sortField(['createdAt', 'name', 'price'], '-createdAt'),
  })
  .refine(withinReach, reachIssue)

export type ListProducts = z.infer<typeof ListProducts>
