import { z } from '@hono/zod-openapi'
import { pageFields, reachIssue, sortField, Uuid, withinReach } from '../shared/query.ts'
import { orderStatuses } from './status.ts'

const productId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11'
const placedAt = '2026-11-20T12:00:00.000Z'

const example = {
  id: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f14',
  userId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f12',
  status: 'pending' as const,
  total: '159.80',
  items: [{ productId, name: 'Linen tablecloth', quantity: 2, unitPrice: '79.90' }],
  createdAt: placedAt,
  updatedAt: placedAt,
}

const status = z.enum(orderStatuses)

export const Order = z
  .object({
    id: z.uuid(),
    userId: z.uuid(),
    status,
    total: z.string().describe('Decimal: the sum of quantity times unitPrice'),
    items: z.array(
      z.object({
        productId: z.uuid(),
        name: z.string().describe('As it was when the order was placed'),
        quantity: z.int(),
        unitPrice: z.string().describe('Decimal, as it was when the order was placed'),
      }),
    ),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Order', { example })

export type Order = z.infer<typeof Order>

export const OrderDetail = Order.extend({
  history: z.array(z.object({ from: status.nullable(), to: status, at: z.iso.datetime() })),
}).openapi('OrderDetail', {
  example: { ...example, history: [{ from: null, to: 'pending' as const, at: placedAt }] },
})

export type OrderDetail = z.infer<typeof OrderDetail>

export const PlaceOrder = z
  .strictObject({
    items: z
      .array(z.strictObject({ productId: Uuid, quantity: z.int().min(1).max(999) }))
      .min(1)
      .max(50),
  })
  .openapi('PlaceOrder', { example: { items: [{ productId, quantity: 2 }] } })

export type PlaceOrder = z.infer<typeof PlaceOrder>

export const ChangeStatus = z
  .strictObject({ status })
  .openapi('ChangeStatus', { example: { status: 'paid' as const } })

export type ChangeStatus = z.infer<typeof ChangeStatus>

/** A day or a moment in UTC. PostgreSQL knows neither the year 0 nor every offset that ISO 8601 allows. */
const when = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], 'must be an ISO 8601 date or date-time')
  .refine((text) => /^(?!0000)\d{4}-/.test(new Date(text).toISOString()), 'must be in the years 1 to 9999')
  .transform((text) => (text.includes('T') ? new Date(text).toISOString() : text))

export const ListOrders = z
  .strictObject({
    ...pageFields,
    status: status.optional(),
    from: when.optional().describe('Placed then or later; a date means its beginning in UTC'),
    to: when.optional().describe('Placed then or earlier; a date includes the whole day in UTC'),
    userId: Uuid.optional().describe('Administrators only'),
    sort: sortField(['createdAt', 'total'], '-createdAt'),
  })
  .refine(withinReach, reachIssue)

export type ListOrders = z.infer<typeof ListOrders>
