import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { idsOf, idsOfPages, list } from '../support/edge-lists.ts'
import { newCategory, newProducts, newUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const path = '/api/v1/products'

/** Name, description, price, stock, category, day. Equal names, prices and days, so that only the id parts them. */
const catalogue: [string, string, string, number, 'table' | 'bath', number][] = [
  ['Linen tablecloth', 'Washed flax with a selvedge on both sides', '79.90', 5, 'table', 1],
  ['Linen tablecloth', 'Bleached flax', '79.90', 0, 'table', 1],
  ['Linen napkin', 'Four of them', '9.00', 12, 'table', 2],
  ['Cotton towel', 'Soft and quickly drying', '24.50', 3, 'bath', 2],
  ['Cotton towel', 'Woven in a waffle pattern', '24.50', 0, 'bath', 3],
  ['Bath mat', 'Cotton, heavy; the towels match it', '100.00', 1, 'bath', 3],
  ['Bath mat', 'Crème brûlée coloured', '99999.99', 8, 'bath', 4],
]

let categories: Record<'table' | 'bath', { id: string; slug: string }>
/** In the order of `catalogue`. */
let ids: string[]

beforeAll(async () => {
  categories = {
    table: await newCategory({ name: 'Table', slug: 'table' }),
    bath: await newCategory({ name: 'Bath', slug: 'bath' }),
  }
  const made = await newProducts(
    catalogue.map(([name, description, price, stock, category, day]) => ({
      ...{ name, description, price, stock, categoryId: categories[category].id },
      createdAt: `2026-01-0${day}T00:00:00.000Z`,
    })),
  )
  ids = made.map(({ id }) => id)
  await newProducts([{ categoryId: categories.table.id, name: 'Linen archive', archived: true }])
})

/** The places in `catalogue` of what a query finds. */
const found = async (query: string) =>
  (await idsOf(`${path}?limit=100&${query}`)).map((id) => ids.indexOf(id))

const ordered = async (query: string) => (await found(query)).toSorted()

describe('the catalogue', () => {
  it('is for everyone, newest first, without archived products', async () => {
    const { rows, pagination } = await list(path)
    expect(rows).toHaveLength(7)
    expect(rows[0]).toMatchObject({
      name: 'Bath mat',
      price: '99999.99',
      category: { slug: 'bath', name: 'Bath' },
    })
    expect(pagination).toEqual({ page: 1, limit: 20, total: 7, pages: 1 })
  })

  it('filters by category, by id or slug', async () => {
    expect(await ordered('category=table')).toEqual([0, 1, 2])
    expect(await ordered(`category=${categories.bath.id}`)).toEqual([3, 4, 5, 6])
    expect(await ordered(`category=${newId()}`)).toEqual([])
  })

  it.each([
    ['minPrice=79.90', [0, 1, 5, 6]],
    ['maxPrice=24.50', [2, 3, 4]],
    ['maxPrice=24.49', [2]],
    ['minPrice=24.50&maxPrice=79.9', [0, 1, 3, 4]],
    ['minPrice=99999.99', [6]],
    ['inStock=true', [0, 2, 3, 5, 6]],
    ['inStock=false', [1, 4]],
    ['inStock=true&category=bath&maxPrice=100', [3, 5]],
    ['archived=false', [0, 1, 2, 3, 4, 5, 6]],
  ])('filters by %s', async (query, expected) => {
    expect(await ordered(query)).toEqual(expected)
  })

  it.each([
    ['linen', [0, 1, 2]],
    ['LINEN', [0, 1, 2]],
    ['linens', [0, 1, 2]],
    ['towel', [3, 4, 5]],
    ['towels cotton', [3, 4, 5]],
    ['towel -waffle', [3, 5]],
    ['"soft and quickly"', [3]],
    ['waffle or napkin', [2, 4]],
    ['brûlée', [6]],
    ['nothing', []],
    ['the', []],
    [`'; drop table products; --`, []],
    ['!!! & | ( )', []],
  ])('finds %j by full text', async (q, expected) => {
    expect(await ordered(`q=${encodeURIComponent(q)}`)).toEqual(expected)
  })

  it('filters what it finds', async () => {
    expect(await ordered('q=linen&inStock=true&maxPrice=50')).toEqual([2])
  })

  const sorts: [string, number[][]][] = [
    ['createdAt', [[0, 1], [2, 3], [4, 5], [6]]],
    ['name', [[5, 6], [3, 4], [2], [0, 1]]],
    ['price', [[2], [3, 4], [0, 1], [5], [6]]],
  ]
  it.each(sorts)('sorts by %s both ways, with the id as tie-break across pages', async (sort, groups) => {
    const ascending = groups.flatMap((group) => group.map((n) => ids[n]).toSorted())
    for (const limit of [1, 2, 3]) {
      const pages = Math.ceil(7 / limit)
      expect(await idsOfPages(`${path}?sort=${sort}&limit=${limit}`, pages)).toEqual(ascending)
      expect(await idsOfPages(`${path}?sort=-${sort}&limit=${limit}`, pages)).toEqual(ascending.toReversed())
    }
  })

  it('tells how many pages a filter has', async () => {
    const { pagination } = await list(`${path}?category=bath&limit=3&page=2`)
    expect(pagination).toEqual({ page: 2, limit: 3, total: 4, pages: 2 })
  })
})

describe('archived products', () => {
  it('are listed for administrators only, in one call', async () => {
    const admin = await newUser({ role: 'admin' })
    const { rows, pagination } = await list(`${path}?archived=true`, admin.token)
    expect(rows.map(({ name }) => name)).toEqual(['Linen archive'])
    expect(pagination).toMatchObject({ total: 1 })
    for (const token of [undefined, (await newUser()).token]) {
      const { status, code } = await api('GET', `${path}?archived=true`, { token })
      expect([status, code]).toEqual([403, 'FORBIDDEN'])
    }
  })
})

describe('more than 10,000 products', () => {
  const total = 10_001

  beforeAll(async () => {
    await sql(
      `insert into products (id, name, slug, description, price, stock, category_id, created_at)
        select gen_random_uuid(), 'Thread', 'thread-' || n, '', 1, 1, $1, '2025-01-01'
        from generate_series(1, $2::int) as n`,
      [categories.table.id, total - catalogue.length],
    )
  })

  it('are counted exactly up to 10,000 and told as a lower bound beyond', async () => {
    expect((await list(`${path}?limit=100`)).pagination).toEqual({
      ...{ page: 1, limit: 100, total: 10_000, pages: 100 },
      totalIsLowerBound: true,
    })
    await sql(`delete from products where slug = 'thread-1'`)
    expect((await list(`${path}?limit=100`)).pagination).toEqual({
      page: 1,
      limit: 100,
      total: 10_000,
      pages: 100,
    })
  })

  it('are searched in the same order by a word that nearly all have, each of them once', async () => {
    for (const query of ['sort=createdAt&page=1', 'sort=createdAt&page=7', 'sort=-price&page=60']) {
      const threads = (await list(`${path}?limit=100&maxPrice=1&${query}`)).rows
      expect(threads).toHaveLength(100)
      expect((await list(`${path}?limit=100&q=thread&${query}`)).rows).toEqual(threads)
    }
    expect(await ordered('q=linen')).toEqual([0, 1, 2])
  })

  it('are paged as far as page times limit reaches 10,000', async () => {
    expect((await list(`${path}?page=100&limit=100`)).rows).toHaveLength(100)
    expect((await list(`${path}?page=10000&limit=1`)).rows).toHaveLength(1)
    for (const query of ['page=101&limit=100', 'page=10000&limit=2', 'page=10001&limit=1']) {
      const { status, details } = await api('GET', `${path}?${query}`)
      expect([status, details]).toEqual([422, [{ field: 'page', message: expect.any(String) }]])
    }
  })
})
