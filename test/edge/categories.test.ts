import { beforeAll, describe, expect, it } from 'vitest'
import { Category } from '../../src/categories/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { idsOf, idsOfPages, list } from '../support/edge-lists.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const path = '/api/v1/categories'

let admin: TestUser
let user: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
  user = await newUser()
})

const create = (body: object, { token }: TestUser = admin) => api('POST', path, { body, token })

const change = (id: string, body: object, { token }: TestUser = admin) =>
  api('PATCH', `${path}/${id}`, { body, token })

const archive = (id: string, { token }: TestUser = admin) => api('DELETE', `${path}/${id}`, { token })

const read = (idOrSlug: string) => api('GET', `${path}/${idOrSlug}`)

describe('creating a category', () => {
  it('answers it with its place and a slug from its name, in one call', async () => {
    const { status, data, headers, calls } = await create({ name: ' Crème & Lace ' })
    expect([status, calls]).toEqual([201, 1])
    const category = Category.parse(data)
    expect(category).toMatchObject({ name: 'Crème & Lace', slug: 'creme-and-lace', archivedAt: null })
    expect(headers.get('Location')).toBe(`${path}/${category.id}`)
  })

  it('sets a made slug apart when it is taken, and refuses an asked one', async () => {
    const slug = `taken-${newId()}`
    await newCategory({ slug })
    const made = await create({ name: slug })
    expect(made.status).toBe(201)
    expect(Category.parse(made.data).slug).toMatch(new RegExp(`^${slug}-[0-9a-f]{8}$`))
    const asked = await create({ name: 'Other', slug })
    expect([asked.status, asked.code]).toEqual([409, 'SLUG_TAKEN'])
  })

  it('refuses a slug that an archived one holds', async () => {
    const { slug } = await newCategory({ archived: true })
    expect((await create({ name: 'Other', slug })).code).toBe('SLUG_TAKEN')
  })

  it.each([
    ['name', { name: 'x' }],
    ['name', { name: '😀' }],
    ['name', { name: 'x'.repeat(81) }],
    ['name', {}],
    ['slug', { name: 'Linen', slug: 'Not A Slug' }],
    ['slug', { name: 'Linen', slug: newId() }],
    ['archivedAt', { name: 'Linen', archivedAt: null }],
  ])('refuses what breaks the rule of %s: %j', async (field, body) => {
    const { status, details } = await create(body)
    expect(status).toBe(422)
    expect(details).toContainEqual({ field, message: expect.any(String) })
  })

  it('is for administrators', async () => {
    expect((await create({ name: 'Linen' }, user)).status).toBe(403)
  })
})

describe('reading a category', () => {
  it('works for everyone by id and by slug, in one call', async () => {
    const { id, slug, name } = await newCategory()
    for (const idOrSlug of [id, slug, id.toUpperCase()]) {
      const { status, data, calls } = await read(idOrSlug)
      expect([status, calls]).toEqual([200, 1])
      expect(data).toMatchObject({ id, slug, name })
    }
  })

  it('is a 404 for unknown and archived ones', async () => {
    const { id, slug } = await newCategory({ archived: true })
    for (const idOrSlug of [id, slug, newId(), 'nothing', slug.toUpperCase()]) {
      const { status, error } = await read(idOrSlug)
      expect([status, error?.message]).toEqual([404, 'Category not found'])
    }
  })
})

describe('changing a category', () => {
  it('changes name and slug apart, in one call', async () => {
    const { id, slug } = await newCategory({ createdAt: '2026-01-01T00:00:00.000Z' })
    const named = await change(id, { name: 'Kitchen linen' })
    expect([named.status, named.calls]).toEqual([200, 1])
    expect(named.data).toMatchObject({ name: 'Kitchen linen', slug })
    const fresh = `kitchen-${newId()}`
    expect((await change(id, { slug: fresh })).data).toMatchObject({ name: 'Kitchen linen', slug: fresh })
    const { createdAt, updatedAt } = Category.parse((await read(fresh)).data)
    expect(updatedAt > createdAt).toBe(true)
  })

  it('refuses a slug that is taken, and nothing to change', async () => {
    const [one, other] = [await newCategory(), await newCategory()]
    expect((await change(one.id, { slug: other.slug })).code).toBe('SLUG_TAKEN')
    expect((await change(one.id, {})).status).toBe(422)
  })

  it('is a 404 for unknown and archived ones', async () => {
    const { id } = await newCategory({ archived: true })
    for (const absent of [id, newId()]) expect((await change(absent, { name: 'Linen' })).status).toBe(404)
  })

  it('is for administrators', async () => {
    const { id } = await newCategory()
    expect((await change(id, { name: 'Linen' }, user)).status).toBe(403)
  })
})

describe('archiving a category', () => {
  it('hides it, keeps its products, and refuses new ones, in one call', async () => {
    const { id } = await newCategory()
    const product = await newProduct({ categoryId: id })
    const { status, text, calls } = await archive(id)
    expect([status, text, calls]).toEqual([204, '', 1])
    expect((await read(id)).status).toBe(404)
    expect((await api('GET', `/api/v1/products/${product.id}`)).status).toBe(200)
    const refused = await api('POST', '/api/v1/products', {
      body: { name: 'Linen', price: '1', categoryId: id },
      token: admin.token,
    })
    expect([refused.status, refused.details]).toEqual([
      422,
      [{ field: 'categoryId', message: 'unknown category' }],
    ])
  })

  it('changes nothing the second time', async () => {
    const { id } = await newCategory()
    const times = () => sql('select archived_at, updated_at from categories where id = $1', [id])
    await archive(id)
    const first = await times()
    expect((await archive(id)).status).toBe(204)
    expect(await times()).toEqual(first)
  })

  it('is a 404 for an unknown one, and for administrators', async () => {
    expect((await archive(newId())).status).toBe(404)
    const { id } = await newCategory()
    expect((await archive(id, user)).status).toBe(403)
    expect((await read(id)).status).toBe(200)
  })
})

describe('the list of categories', () => {
  let ascending: string[]

  beforeAll(async () => {
    await sql('truncate product_images, stock_movements, order_items, products, categories')
    const pairs: string[][] = []
    for (const name of ['Alpha', 'Beta', 'Gamma']) {
      const createdAt = `2026-01-0${pairs.length + 1}T00:00:00.000Z`
      const pair = [await newCategory({ name, createdAt }), await newCategory({ name, createdAt })]
      pairs.push(pair.map(({ id }) => id).toSorted())
    }
    await newCategory({ name: 'Delta', archived: true })
    ascending = pairs.flat()
  })

  it('is for everyone, by name, without archived ones', async () => {
    const { rows, pagination } = await list(path)
    expect(rows.map(({ id }) => id)).toEqual(ascending)
    expect(pagination).toEqual({ page: 1, limit: 20, total: 6, pages: 1 })
  })

  it.each(['name', 'createdAt'])(
    'sorts by %s both ways, with the id as tie-break across pages',
    async (sort) => {
      expect(await idsOfPages(`${path}?sort=${sort}&limit=1`, 6)).toEqual(ascending)
      expect(await idsOfPages(`${path}?sort=-${sort}&limit=4`, 2)).toEqual(ascending.toReversed())
    },
  )

  it('answers an empty page beyond the last', async () => {
    expect(await idsOf(`${path}?page=100&limit=100`)).toEqual([])
  })
})
