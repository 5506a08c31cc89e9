import { sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { expect, it } from 'vitest'
import { products } from '../products/table.ts'
import { orderBy } from './sort.ts'

const columns = { name: products.name, price: products.price }

it.each([
  ['name', '"products"."name" asc, "products"."id" asc'],
  ['-name', '"products"."name" desc, "products"."id" desc'],
  ['-price', '"products"."price" desc, "products"."id" desc'],
] as const)('sorts by %s with the id as tie-break in the same direction', (sort, expected) => {
  const parts = orderBy(sort, columns, products.id)
  expect(new PgDialect().sqlToQuery(sql.join(parts, sql`, `)).sql).toBe(expected)
})
