import { beforeAll, describe, expect, it } from 'vitest'
import { Order, OrderDetail } from '../../src/orders/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import {
  ledgerOf,
  newCategory,
  newProduct,
  newUser,
  stockOf,
  type NewProduct,
  type TestUser,
} from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const path = '/api/v1/orders'

let ada: TestUser
let admin: TestUser
let categoryId: string

beforeAll(async () => {
  ada = await newUser()
  admin = await newUser({ role: 'admin' })
  categoryId = (await newCategory()).id
})

type Line = { productId: string; quantity: number }

const place = (items: Line[], { token }: TestUser = ada) => api('POST', path, { body: { items }, token })

const stocked = (product: Omit<NewProduct, 'categoryId'> = {}) => newProduct({ categoryId, ...product })

const ordersOf = async ({ id }: TestUser) => await sql('select id from orders where user_id = $1', [id])

describe('placing an order', () => {
  it('answers it with its lines, its total and its place, in one call', async () => {
    const [cloth, towel] = [
      await stocked({ name: 'Cloth', price: '79.90' }),
      await stocked({ name: 'Towel', price: '0.05' }),
    ]
    const { status, data, headers, calls } = await place([
      { productId: towel.id, quantity: 3 },
      { productId: cloth.id, quantity: 2 },
    ])
    expect([status, calls]).toEqual([201, 1])
    const order = Order.parse(data)
    expect(order).toMatchObject({
      userId: ada.id,
      status: 'pending',
      total: '159.95',
      items: [
        { productId: towel.id, name: 'Towel', quantity: 3, unitPrice: '0.05' },
        { productId: cloth.id, name: 'Cloth', quantity: 2, unitPrice: '79.90' },
      ],
    })
    expect(order.updatedAt).toBe(order.createdAt)
    expect(headers.get('Location')).toBe(`${path}/${order.id}`)
  })

  it('takes the stock and enters ledger and history', async () => {
    const product = await stocked({ stock: 10 })
    const order = Order.parse((await place([{ productId: product.id, quantity: 4 }])).data)
    expect(await stockOf(product.id)).toBe(6)
    expect((await ledgerOf(product.id)).at(-1)).toEqual({
      delta: -4,
      reason: 'order',
      order_id: order.id,
      actor_id: ada.id,
    })
    expect(
      await sql('select actor_id, from_status, to_status from order_status_history where order_id = $1', [
        order.id,
      ]),
    ).toEqual([{ actor_id: ada.id, from_status: null, to_status: 'pending' }])
  })

  it.each([
    [['0.10', 3], ['0.20', 3], '0.90'],
    [['0.01', 999], ['0.07', 999], '79.92'],
    [['99999.99', 999], ['99999.99', 999], '199799980.02'],
    [['0.00', 1], ['0.00', 5], '0.00'],
    [['19.99', 7], ['1.10', 3], '143.23'],
  ] as const)('sums %j and %j to the cent: %s', async ([onePrice, one], [otherPrice, other], total) => {
    const first = await stocked({ price: onePrice, stock: 999 })
    const second = await stocked({ price: otherPrice, stock: 999 })
    const { data } = await place([
      { productId: first.id, quantity: one },
      { productId: second.id, quantity: other },
    ])
    expect(data).toMatchObject({ total })
  })

  it('keeps name and price as they were', async () => {
    const product = await stocked({ name: 'Before', price: '10.00' })
    const { id } = Order.parse((await place([{ productId: product.id, quantity: 1 }])).data)
    const body = { name: 'After', price: '20.00' }
    await api('PATCH', `/api/v1/products/${product.id}`, { body, token: admin.token })
    await api('DELETE', `/api/v1/products/${product.id}`, { token: admin.token })
    expect((await api('GET', `${path}/${id}`, { token: ada.token })).data).toMatchObject({
      total: '10.00',
      items: [{ name: 'Before', unitPrice: '10.00' }],
    })
  })

  it('merges lines of the same product', async () => {
    const [one, other] = [await stocked({ stock: 999 }), await stocked()]
    const { data } = await place([
      { productId: one.id, quantity: 1 },
      { productId: other.id, quantity: 1 },
      { productId: one.id.toUpperCase(), quantity: 998 },
    ])
    expect(Order.parse(data).items.map(({ productId, quantity }) => [productId, quantity])).toEqual([
      [one.id, 999],
      [other.id, 1],
    ])
    expect(await stockOf(one.id)).toBe(0)
  })

  it('refuses merged lines of more than 999, naming the line', async () => {
    const { id } = await stocked({ stock: 5_000 })
    const { status, details } = await place([
      { productId: id, quantity: 999 },
      { productId: id, quantity: 1 },
    ])
    expect([status, details]).toEqual([
      422,
      [{ field: 'items.1.quantity', message: 'adds up to more than 999' }],
    ])
    expect(await stockOf(id)).toBe(5_000)
  })

  it('takes 50 lines', async () => {
    const products = await Promise.all(Array.from({ length: 50 }, () => stocked()))
    const { status, data, calls } = await place(products.map(({ id }) => ({ productId: id, quantity: 1 })))
    expect([status, calls]).toEqual([201, 1])
    expect(Order.parse(data).items.map(({ productId }) => productId)).toEqual(products.map(({ id }) => id))
  })

  it('refuses unknown and archived products, naming each by its line, and changes nothing', async () => {
    const buyer = await newUser()
    const [known, gone] = [await stocked(), await stocked({ archived: true })]
    const { status, code, details } = await place(
      [
        { productId: newId(), quantity: 1 },
        { productId: known.id, quantity: 1 },
        { productId: known.id, quantity: 1 },
        { productId: gone.id, quantity: 1 },
      ],
      buyer,
    )
    expect([status, code]).toEqual([422, 'VALIDATION_FAILED'])
    expect(details).toEqual([
      { field: 'items.0.productId', message: 'unknown product' },
      { field: 'items.3.productId', message: 'unknown product' },
    ])
    expect(await stockOf(known.id)).toBe(10)
    expect(await ordersOf(buyer)).toEqual([])
  })

  it('refuses short lines, telling each, and changes nothing', async () => {
    const buyer = await newUser()
    const [enough, short, none] = [await stocked(), await stocked({ stock: 2 }), await stocked({ stock: 0 })]
    const { status, code, details } = await place(
      [
        { productId: none.id, quantity: 1 },
        { productId: enough.id, quantity: 10 },
        { productId: short.id, quantity: 2 },
        { productId: short.id, quantity: 1 },
      ],
      buyer,
    )
    expect([status, code]).toEqual([409, 'OUT_OF_STOCK'])
    expect(details).toEqual([
      { productId: none.id, requested: 1, available: 0 },
      { productId: short.id, requested: 3, available: 2 },
    ])
    expect(await stockOf(enough.id)).toBe(10)
    expect(await ledgerOf(enough.id)).toHaveLength(1)
    expect(await ordersOf(buyer)).toEqual([])
  })

  it('sells the last piece once', async () => {
    const { id } = await stocked({ stock: 1 })
    const replies = await Promise.all([1, 2, 3].map(() => place([{ productId: id, quantity: 1 }])))
    expect(replies.map(({ status }) => status).toSorted()).toEqual([201, 409, 409])
    expect(await stockOf(id)).toBe(0)
  })
})

describe('an order', () => {
  it('is shown with its history to its owner and to administrators, in one call', async () => {
    const product = await stocked()
    const order = Order.parse((await place([{ productId: product.id, quantity: 1 }])).data)
    await api('POST', `${path}/${order.id}/status`, { body: { status: 'paid' }, token: admin.token })
    for (const { token } of [ada, admin]) {
      const { status, data, calls } = await api('GET', `${path}/${order.id}`, { token })
      expect([status, calls]).toEqual([200, 1])
      const { history, ...rest } = OrderDetail.parse(data)
      expect(rest).toMatchObject({ id: order.id, status: 'paid', items: order.items })
      expect(history).toEqual([
        { from: null, to: 'pending', at: order.createdAt },
        { from: 'pending', to: 'paid', at: expect.stringMatching(/^\d{4}-.+\.\d{3}Z$/) },
      ])
    }
  })

  it('of somebody else is as absent as an unknown one', async () => {
    const product = await stocked()
    const { id } = Order.parse((await place([{ productId: product.id, quantity: 1 }])).data)
    const { token } = await newUser()
    for (const absent of [id, newId()]) {
      const detail = await api('GET', `${path}/${absent}`, { token })
      expect([detail.status, detail.error?.message]).toEqual([404, 'Order not found'])
      const cancel = await api('POST', `${path}/${absent}/cancel`, { token })
      expect([cancel.status, cancel.code]).toEqual([404, 'NOT_FOUND'])
    }
    expect(await stockOf(product.id)).toBe(9)
  })
})
