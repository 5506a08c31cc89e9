import { invalid } from '../shared/errors.ts'
import type { PlaceOrder } from './schema.ts'

const maxQuantity = 999

/** A line of the order; `n` is the first of the request's lines that ask for the product. */
export type Line = { n: number; productId: string; quantity: number }

/** The same product asked for twice is one line. @throws VALIDATION_FAILED when the sum is more than 999. */
export const mergeLines = (items: PlaceOrder['items']): Line[] => {
  const lines = new Map<string, Line>()
  for (const [n, { productId, quantity }] of items.entries()) {
    const line = lines.get(productId.toLowerCase())
    if (line === undefined) lines.set(productId.toLowerCase(), { n, productId, quantity })
    else if (line.quantity + quantity <= maxQuantity) line.quantity += quantity
    else throw invalid({ field: `items.${n}.quantity`, message: `adds up to more than ${maxQuantity}` })
  }
  return [...lines.values()]
}
