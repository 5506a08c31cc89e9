import { env } from 'cloudflare:workers'
import { inject } from 'vitest'
import { createTokens } from '../../src/auth/tokens.ts'
import { readConfig } from '../../src/config.ts'
import type { Role } from '../../src/shared/actor.ts'
import { newId } from '../../src/shared/ids.ts'
import { insert, sql } from './edge-sql.ts'

const tokens = createTokens(readConfig(env).tokens)

type NewUser = {
  role?: Role
  name?: string
  email?: string
  createdAt?: string
  passwordHash?: string
  /** Whether its address is confirmed. */
  verified?: boolean
}

/** An account that is logged in; its password is `password` of edge-provided.ts. */
export const newUser = async ({ role = 'user', name = 'Ada Byron', ...rest }: NewUser = {}) => {
  const id = newId()
  const sessionId = newId()
  const { email = `${id}@people.example`, passwordHash = inject('passwordHash') } = rest
  const { createdAt = new Date().toISOString(), verified = true } = rest
  const times = { created_at: createdAt, updated_at: createdAt, verified_at: verified ? createdAt : null }
  await insert('users', [{ id, name, email, role, password_hash: passwordHash, ...times }])
  await sql(`insert into sessions (id, user_id, expires_at) values ($1, $2, now() + interval '1 day')`, [
    sessionId,
    id,
  ])
  const token = await tokens.issue({ kind: 'user', id, role, sessionId })
  return { id, name, email, role, sessionId, token }
}

export type TestUser = Awaited<ReturnType<typeof newUser>>

type NewCategory = { name?: string; slug?: string; archived?: boolean; createdAt?: string }

export const newCategory = async ({ name = 'Table linen', ...rest }: NewCategory = {}) => {
  const id = newId()
  const { slug = `category-${id}`, archived = false, createdAt = new Date().toISOString() } = rest
  const times = { created_at: createdAt, updated_at: createdAt, archived_at: archived ? createdAt : null }
  await insert('categories', [{ id, name, slug, ...times }])
  return { id, name, slug }
}

export type NewProduct = {
  categoryId: string
  name?: string
  slug?: string
  description?: string
  price?: string
  stock?: number
  archived?: boolean
  createdAt?: string
}

/** Products in the catalogue, each with the first line of its ledger. */
export const newProducts = async (products: NewProduct[]) => {
  const rows = products.map(({ name = 'Linen tablecloth', price = '79.90', stock = 10, ...rest }) => {
    const id = newId()
    const { slug = `product-${id}`, description = '', createdAt = new Date().toISOString() } = rest
    const archivedAt = rest.archived === true ? createdAt : null
    return { id, name, slug, description, price, stock, categoryId: rest.categoryId, createdAt, archivedAt }
  })
  await insert(
    'products',
    rows.map(({ categoryId, createdAt, archivedAt, ...row }) => ({
      ...row,
      category_id: categoryId,
      created_at: createdAt,
      updated_at: createdAt,
      archived_at: archivedAt,
    })),
  )
  const stocked = rows.filter(({ stock }) => stock > 0)
  if (stocked.length > 0) {
    const movements = stocked.map(({ id, stock }) => ({ product_id: id, delta: stock, reason: 'initial' }))
    await insert(
      'stock_movements',
      movements.map((movement) => ({ ...movement, at: new Date().toISOString() })),
    )
  }
  return rows
}

export const newProduct = async (product: NewProduct) => {
  const [made] = await newProducts([product])
  if (made === undefined) throw new Error('No product was made')
  return made
}

export const stockOf = async (productId: string): Promise<number | undefined> => {
  const [row] = await sql<{ stock: number }>('select stock from products where id = $1', [productId])
  return row?.stock
}

/** The ledger of a product, oldest first. */
export const ledgerOf = async (productId: string) =>
  await sql<{ delta: number; reason: string; order_id: string | null; actor_id: string | null }>(
    'select delta, reason, order_id, actor_id from stock_movements where product_id = $1 order by id',
    [productId],
  )
