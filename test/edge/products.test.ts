import { beforeAll, describe, expect, it } from 'vitest'
import { Product } from '../../src/products/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { ledgerOf, newCategory, newProduct, newUser, stockOf, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const path = '/api/v1/products'

let admin: TestUser
let user: TestUser
let category: { id: string; name: string; slug: string }

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
  user = await newUser()
  category = await newCategory()
})

const create = (body: object, { token }: TestUser = admin) =>
  api('POST', path, {
    body: { name: 'Linen towel', price: '19.90', categoryId: category.id, ...body },
    token,
  })

const change = (id: string, body: object, { token }: TestUser = admin) =>
  api('PATCH', `${path}/${id}`, { body, token })

const changeStock = (id: string, body: object, { token }: TestUser = admin) =>
  api('POST', `${path}/${id}/stock`, { body, token })

const archive = (id: string, { token }: TestUser = admin) => api('DELETE', `${path}/${id}`, { token })

const read = (idOrSlug: string, token?: string) => api('GET', `${path}/${idOrSlug}`, { token })

const stocked = (stock = 10) => newProduct({ categoryId: category.id, stock })

describe('creating a product', () => {
  it('answers it with its place, its category and the first line of its ledger, in one call', async () => {
    const { status, data, headers, calls } = await create({
      name: ' Wool Blanket ',
      price: '129.9',
      stock: 7,
    })
    expect([status, calls]).toEqual([201, 1])
    const product = Product.parse(data)
    expect(product).toMatchObject({
      name: 'Wool Blanket',
      slug: 'wool-blanket',
      description: '',
      price: '129.90',
      stock: 7,
      category,
      archivedAt: null,
    })
    expect(headers.get('Location')).toBe(`${path}/${product.id}`)
    expect(await ledgerOf(product.id)).toEqual([
      { delta: 7, reason: 'initial', order_id: null, actor_id: admin.id },
    ])
  })

  it('without stock has an empty ledger', async () => {
    const { id, stock } = Product.parse((await create({})).data)
    expect(stock).toBe(0)
    expect(await ledgerOf(id)).toEqual([])
  })

  it.each([
    ['0', '0.00'],
    ['0.01', '0.01'],
    ['19.9', '19.90'],
    ['99999.99', '99999.99'],
  ])('takes the price %s as %s', async (price, shown) => {
    expect((await create({ price })).data).toMatchObject({ price: shown })
  })

  it('sets a made slug apart when it is taken, and refuses an asked one', async () => {
    const { slug } = await stocked()
    const made = await create({ name: slug })
    expect(Product.parse(made.data).slug).toMatch(/^product-.+-[0-9a-f]{8}$/)
    const asked = await create({ slug })
    expect([asked.status, asked.code]).toEqual([409, 'SLUG_TAKEN'])
  })

  it('refuses an unknown category and makes nothing', async () => {
    const slug = `orphan-${newId()}`
    const { status, details } = await create({ slug, categoryId: newId() })
    expect([status, details]).toEqual([422, [{ field: 'categoryId', message: 'unknown category' }]])
    expect(await sql('select from products where slug = $1', [slug])).toEqual([])
  })

  it('is for administrators', async () => {
    expect((await create({}, user)).status).toBe(403)
  })
})

describe('reading a product', () => {
  it('works for everyone by id and by slug, in one call', async () => {
    const { id, slug } = await stocked()
    for (const idOrSlug of [id, slug, id.toUpperCase()]) {
      for (const token of [undefined, user.token, admin.token]) {
        const { status, data, calls } = await read(idOrSlug, token)
        expect([status, calls]).toEqual([200, 1])
        expect(data).toMatchObject({ id, slug, price: '79.90', stock: 10, category })
      }
    }
  })

  it('shows an archived one to administrators only', async () => {
    const { id, slug } = await newProduct({ categoryId: category.id, archived: true })
    for (const idOrSlug of [id, slug]) {
      for (const token of [undefined, user.token]) expect((await read(idOrSlug, token)).status).toBe(404)
      const { status, data } = await read(idOrSlug, admin.token)
      expect(status).toBe(200)
      expect(Product.parse(data).archivedAt).not.toBeNull()
    }
  })

  it('is a 404 for an unknown one', async () => {
    for (const absent of [newId(), 'nothing']) {
      const { status, error } = await read(absent)
      expect([status, error?.message]).toEqual([404, 'Product not found'])
    }
  })
})

describe('changing a product', () => {
  it.each([
    [{ name: 'Flax towel' }],
    [{ description: 'Soft.' }],
    [{ price: '5.00' }],
    [{ name: 'Flax towel', price: '0.00' }],
  ])('changes %j and nothing else, in one call', async (body) => {
    const product = await newProduct({ categoryId: category.id, createdAt: '2026-01-01T00:00:00.000Z' })
    const before = Product.parse((await read(product.id)).data)
    const { status, data, calls } = await change(product.id, body)
    expect([status, calls]).toEqual([200, 1])
    const after = Product.parse(data)
    expect(after).toEqual({ ...before, ...body, updatedAt: after.updatedAt })
    expect(after.updatedAt > before.updatedAt).toBe(true)
  })

  it('moves it to another category, but not to an archived or unknown one', async () => {
    const { id } = await stocked()
    const other = await newCategory({ name: 'Bath' })
    expect((await change(id, { categoryId: other.id })).data).toMatchObject({ category: other })
    const gone = await newCategory({ archived: true })
    for (const categoryId of [gone.id, newId()]) {
      expect((await change(id, { categoryId })).details).toEqual([
        { field: 'categoryId', message: 'unknown category' },
      ])
    }
  })

  it('keeps its place in a category that was archived', async () => {
    const gone = await newCategory({ archived: true })
    const { id } = await newProduct({ categoryId: gone.id })
    expect((await change(id, { price: '1.00' })).data).toMatchObject({ price: '1.00', category: gone })
  })

  it('brings an archived one back', async () => {
    const { id } = await newProduct({ categoryId: category.id, archived: true })
    expect((await change(id, { archived: false })).data).toMatchObject({ archivedAt: null })
    expect((await read(id)).status).toBe(200)
  })

  it.each([[{}], [{ stock: 5 }], [{ archived: true }], [{ price: 5 }], [{ id: newId() }]])(
    'refuses %j',
    async (body) => {
      const { id } = await stocked()
      expect((await change(id, body)).status).toBe(422)
      expect(await stockOf(id)).toBe(10)
    },
  )

  it('refuses a slug that is taken', async () => {
    const [one, other] = [await stocked(), await stocked()]
    expect((await change(one.id, { slug: other.slug })).code).toBe('SLUG_TAKEN')
  })

  it('is a 404 for an unknown one, and for administrators', async () => {
    expect((await change(newId(), { price: '1' })).status).toBe(404)
    const { id } = await stocked()
    expect((await change(id, { price: '0' }, user)).status).toBe(403)
  })
})

describe('changing the stock', () => {
  it('adds and takes, each with a line in the ledger that sums to the stock, in one call', async () => {
    const { id } = await stocked(10)
    const taken = await changeStock(id, { delta: -4, reason: ' damaged ' })
    expect([taken.status, taken.calls]).toEqual([200, 1])
    expect(taken.data).toMatchObject({ id, stock: 6 })
    expect((await changeStock(id, { delta: 20, reason: 'delivery' })).data).toMatchObject({ stock: 26 })
    expect(await ledgerOf(id)).toEqual([
      { delta: 10, reason: 'initial', order_id: null, actor_id: null },
      { delta: -4, reason: 'damaged', order_id: null, actor_id: admin.id },
      { delta: 20, reason: 'delivery', order_id: null, actor_id: admin.id },
    ])
  })

  it('takes the last piece and not one more', async () => {
    const { id } = await stocked(3)
    const { status, code, details } = await changeStock(id, { delta: -4, reason: 'x' })
    expect([status, code]).toEqual([409, 'OUT_OF_STOCK'])
    expect(details).toEqual([{ productId: id, requested: 4, available: 3 }])
    expect(await stockOf(id)).toBe(3)
    expect((await changeStock(id, { delta: -3, reason: 'x' })).data).toMatchObject({ stock: 0 })
  })

  it.each([
    ['delta', { delta: 0, reason: 'x' }],
    ['delta', { delta: 1.5, reason: 'x' }],
    ['delta', { delta: 1_000_001, reason: 'x' }],
    ['delta', { delta: '1', reason: 'x' }],
    ['delta', { reason: 'x' }],
    ['reason', { delta: 1 }],
    ['reason', { delta: 1, reason: '  ' }],
    ['reason', { delta: 1, reason: 'x'.repeat(201) }],
  ])('refuses what breaks the rule of %s: %j', async (field, body) => {
    const { id } = await stocked()
    const { status, details } = await changeStock(id, body)
    expect(status).toBe(422)
    expect(details).toContainEqual({ field, message: expect.any(String) })
  })

  it('beyond what the column holds is refused and changes nothing', async () => {
    const { id } = await stocked(2_147_483_647)
    expect((await changeStock(id, { delta: 1, reason: 'x' })).status).toBe(422)
    expect(await ledgerOf(id)).toHaveLength(1)
  })

  it('is a 404 for an unknown one, and for administrators', async () => {
    expect((await changeStock(newId(), { delta: 1, reason: 'x' })).status).toBe(404)
    const { id } = await stocked()
    expect((await changeStock(id, { delta: 1, reason: 'x' }, user)).status).toBe(403)
    expect(await stockOf(id)).toBe(10)
  })
})

describe('archiving a product', () => {
  it('hides it and keeps its row, in one call', async () => {
    const { id } = await stocked()
    const { status, text, calls } = await archive(id)
    expect([status, text, calls]).toEqual([204, '', 1])
    expect((await read(id)).status).toBe(404)
    expect(await stockOf(id)).toBe(10)
  })

  it('changes nothing the second time', async () => {
    const { id } = await stocked()
    const times = () => sql('select archived_at, updated_at from products where id = $1', [id])
    await archive(id)
    const first = await times()
    expect((await archive(id)).status).toBe(204)
    expect(await times()).toEqual(first)
  })

  it('is a 404 for an unknown one, and for administrators', async () => {
    expect((await archive(newId())).status).toBe(404)
    const { id } = await stocked()
    expect((await archive(id, user)).status).toBe(403)
    expect((await read(id)).status).toBe(200)
  })
})
