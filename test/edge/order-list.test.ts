import { beforeAll, describe, expect, it } from 'vitest'
import { orderStatuses } from '../../src/orders/status.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { idsOf, idsOfPages, list } from '../support/edge-lists.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { insert, sql } from '../support/edge-sql.ts'

const path = '/api/v1/orders'

/** Total, status and moment; equal totals and moments, so that only the id parts them. */
const placed: [string, (typeof orderStatuses)[number], string][] = [
  ['10.00', 'pending', '2026-03-01T00:00:00.000Z'],
  ['10.00', 'paid', '2026-03-01T00:00:00.000Z'],
  ['5.50', 'shipped', '2026-03-01T23:59:59.999Z'],
  ['100.00', 'delivered', '2026-03-02T00:00:00.000Z'],
  ['100.00', 'cancelled', '2026-03-02T12:00:00.000Z'],
  ['9.99', 'pending', '2026-03-03T00:00:00.000Z'],
]

let ada: TestUser
let bob: TestUser
let admin: TestUser
let ids: string[]

beforeAll(async () => {
  ada = await newUser()
  bob = await newUser()
  admin = await newUser({ role: 'admin' })
  const { id: productId } = await newProduct({ categoryId: (await newCategory()).id })
  const rows = [ada, bob].flatMap(({ id }) =>
    placed.map(([total, status, at]) => ({
      ...{ id: newId(), user_id: id, status, total },
      ...{ created_at: at, updated_at: at },
    })),
  )
  await insert('orders', rows)
  await insert(
    'order_items',
    rows.map(({ id, total }) => ({
      ...{ order_id: id, position: 0, product_id: productId, name: 'Linen', quantity: 1, unit_price: total },
    })),
  )
  ids = rows.map(({ id }) => id).slice(0, placed.length)
})

/** The places in `placed` of what a query of Ada's finds. */
const found = async (query: string) =>
  (await idsOf(`${path}?limit=100&${query}`, ada.token)).map((id) => ids.indexOf(id)).toSorted()

describe('the list of orders', () => {
  it('has one’s own, newest first, with their lines', async () => {
    const { rows, pagination } = await list(path, ada.token)
    expect(rows.map(({ id }) => ids.indexOf(id)).slice(0, 4)).toEqual([5, 4, 3, 2])
    expect(rows).toHaveLength(6)
    expect(rows[0]).toMatchObject({
      userId: ada.id,
      items: [{ name: 'Linen', quantity: 1, unitPrice: '9.99' }],
    })
    expect(pagination).toEqual({ page: 1, limit: 20, total: 6, pages: 1 })
  })

  it('has everyone’s for administrators, or those of one', async () => {
    expect((await list(path, admin.token)).pagination).toMatchObject({ total: 12 })
    const { rows } = await list(`${path}?userId=${bob.id}`, admin.token)
    expect(new Set(rows.map(({ userId }) => userId))).toEqual(new Set([bob.id]))
    expect((await list(`${path}?userId=${newId()}`, admin.token)).rows).toEqual([])
  })

  it('refuses a user the orders of others', async () => {
    const { status, code } = await api('GET', `${path}?userId=${bob.id}`, { token: ada.token })
    expect([status, code]).toEqual([403, 'FORBIDDEN'])
    expect(await found(`userId=${ada.id}`)).toHaveLength(6)
  })

  it.each(orderStatuses)('filters by the status %s', async (status) => {
    expect(await found(`status=${status}`)).toEqual(
      placed.flatMap(([, known], n) => (known === status ? [n] : [])),
    )
  })

  it.each([
    ['from=2026-03-02', [3, 4, 5]],
    ['to=2026-03-01', [0, 1, 2]],
    ['from=2026-03-01&to=2026-03-02', [0, 1, 2, 3, 4]],
    ['from=2026-03-02T00:00:00Z', [3, 4, 5]],
    ['from=2026-03-02T00:00:00.001Z', [4, 5]],
    ['to=2026-03-02T00:00:00Z', [0, 1, 2, 3]],
    ['from=2026-03-02T13:00:00%2B01:00', [4, 5]],
    ['from=2026-03-01T13:30:00%2B14:00&to=2026-03-01T23:59:59.999Z', [0, 1, 2]],
    ['from=2026-03-04', []],
    ['from=2026-03-03&to=2026-03-01', []],
    ['status=pending&from=2026-03-02', [5]],
  ])('filters by moment or day in UTC: %s', async (query, expected) => {
    expect(await found(query)).toEqual(expected)
  })

  const sorts: [string, number[][]][] = [
    ['createdAt', [[0, 1], [2], [3], [4], [5]]],
    ['total', [[2], [5], [0, 1], [3, 4]]],
  ]
  it.each(sorts)('sorts by %s both ways, with the id as tie-break across pages', async (sort, groups) => {
    const ascending = groups.flatMap((group) => group.map((n) => ids[n]).toSorted())
    for (const limit of [1, 4]) {
      const pages = Math.ceil(6 / limit)
      expect(await idsOfPages(`${path}?sort=${sort}&limit=${limit}`, pages, ada.token)).toEqual(ascending)
      expect(await idsOfPages(`${path}?sort=-${sort}&limit=${limit}`, pages, ada.token)).toEqual(
        ascending.toReversed(),
      )
    }
  })
})

describe('more than 10,000 orders', () => {
  it('have a total that is a lower bound', async () => {
    const many = await newUser()
    await sql(
      `with made as (
        insert into orders (id, user_id, status, total)
        select gen_random_uuid(), $1, 'pending', 1 from generate_series(1, 10001) returning id
      )
      insert into order_items (order_id, position, product_id, name, quantity, unit_price)
      select made.id, 0, products.id, 'Linen', 1, 1 from made cross join products`,
      [many.id],
    )
    const { rows, pagination } = await list(`${path}?limit=10`, many.token)
    expect(rows).toHaveLength(10)
    expect(pagination).toEqual({ page: 1, limit: 10, total: 10_000, pages: 1_000, totalIsLowerBound: true })
  })
})
