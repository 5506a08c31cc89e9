import { beforeAll, describe, expect, it } from 'vitest'
import { Order, OrderDetail } from '../../src/orders/schema.ts'
import { orderStatuses, type OrderStatus } from '../../src/orders/status.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { ledgerOf, newCategory, newProduct, newUser, stockOf, type TestUser } from '../support/edge-rows.ts'
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

const move = (id: string, status: string, { token }: TestUser = admin) =>
  api('POST', `${path}/${id}/status`, { body: { status }, token })

const cancel = (id: string, { token }: TestUser = ada) => api('POST', `${path}/${id}/cancel`, { token })

const detail = async (id: string) =>
  OrderDetail.parse((await api('GET', `${path}/${id}`, { token: admin.token })).data)

const routes: Record<OrderStatus, OrderStatus[]> = {
  pending: [],
  paid: ['paid'],
  shipped: ['paid', 'shipped'],
  delivered: ['paid', 'shipped', 'delivered'],
  cancelled: [],
}

/** An order of Ada's of two products, three and one of ten, brought to a status by the API. */
const orderIn = async (status: OrderStatus) => {
  const products = [await newProduct({ categoryId }), await newProduct({ categoryId })]
  const items = products.map(({ id }, n) => ({ productId: id, quantity: n === 0 ? 3 : 1 }))
  const { id } = Order.parse((await api('POST', path, { body: { items }, token: ada.token })).data)
  for (const next of routes[status]) expect((await move(id, next)).status).toBe(200)
  if (status === 'cancelled') expect((await cancel(id)).status).toBe(200)
  return { id, products }
}

const stocks = async ({ products }: Awaited<ReturnType<typeof orderIn>>) =>
  await Promise.all(products.map(({ id }) => stockOf(id)))

const allowed = ['pending → paid', 'paid → shipped', 'shipped → delivered']

const matrix = orderStatuses.flatMap((from) => orderStatuses.map((to) => [from, to] as const))

describe('moving an order along', () => {
  it.each(matrix)('from %s to %s goes only along the way, in one call', async (from, to) => {
    const order = await orderIn(from)
    const before = await detail(order.id)
    const sold = await stocks(order)
    const { status, code, data, calls } = await move(order.id, to)
    const after = await detail(order.id)
    expect(calls).toBe(1)
    expect(await stocks(order)).toEqual(sold)
    if (allowed.includes(`${from} → ${to}`)) {
      expect(status).toBe(200)
      expect(data).toMatchObject({ id: order.id, status: to, items: before.items, total: before.total })
      expect(after.history).toEqual([...before.history, { from, to, at: expect.any(String) }])
    } else {
      expect([status, code]).toEqual([409, 'INVALID_TRANSITION'])
      expect(after).toEqual(before)
    }
  })

  it('remembers who did it', async () => {
    const { id } = await orderIn('paid')
    expect(
      await sql(`select actor_id from order_status_history where order_id = $1 and to_status = 'paid'`, [id]),
    ).toEqual([{ actor_id: admin.id }])
  })

  it('goes once, however often it is asked at the same time', async () => {
    const { id } = await orderIn('pending')
    const replies = await Promise.all([1, 2, 3].map(() => move(id, 'paid')))
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409, 409])
    expect((await detail(id)).history).toHaveLength(2)
  })

  it('is for administrators, the owner too', async () => {
    const { id } = await orderIn('pending')
    expect((await move(id, 'paid', ada)).status).toBe(403)
  })

  it('is a 404 for an unknown order and a 422 for an unknown status', async () => {
    expect((await move(newId(), 'paid')).status).toBe(404)
    const { id } = await orderIn('pending')
    expect((await move(id, 'lost')).details).toEqual([{ field: 'status', message: expect.any(String) }])
  })
})

describe('cancelling an order', () => {
  it.each(['pending', 'paid'] as const)('that is %s restocks it, in one call', async (from) => {
    const order = await orderIn(from)
    expect(await stocks(order)).toEqual([7, 9])
    const { status, data, calls } = await cancel(order.id)
    expect([status, calls]).toEqual([200, 1])
    expect(data).toMatchObject({ id: order.id, status: 'cancelled', userId: ada.id })
    expect(await stocks(order)).toEqual([10, 10])
    const [first] = order.products
    expect((await ledgerOf(first?.id ?? '')).map(({ delta, reason }) => [delta, reason])).toEqual([
      [10, 'initial'],
      [-3, 'order'],
      [3, 'cancellation'],
    ])
    expect((await detail(order.id)).history.at(-1)).toMatchObject({ from, to: 'cancelled' })
  })

  it('again answers the same order and changes nothing', async () => {
    const order = await orderIn('pending')
    const first = await cancel(order.id)
    for (const actor of [ada, admin, ada]) {
      const again = await cancel(order.id, actor)
      expect(again.status).toBe(200)
      expect(again.data).toEqual(first.data)
    }
    expect(await stocks(order)).toEqual([10, 10])
    expect((await detail(order.id)).history).toHaveLength(2)
  })

  it('restocks once, however often it is asked at the same time', async () => {
    const order = await orderIn('paid')
    const replies = await Promise.all([1, 2, 3, 4].map(() => cancel(order.id)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await stocks(order)).toEqual([10, 10])
  })

  it.each(['shipped', 'delivered'] as const)('that is %s is a 409 and restocks nothing', async (from) => {
    const order = await orderIn(from)
    for (const actor of [ada, admin]) {
      const { status, code } = await cancel(order.id, actor)
      expect([status, code]).toEqual([409, 'INVALID_TRANSITION'])
    }
    expect(await stocks(order)).toEqual([7, 9])
    expect((await detail(order.id)).status).toBe(from)
  })

  it('gives back archived products too', async () => {
    const order = await orderIn('pending')
    await sql('update products set archived_at = now() where id = $1', [order.products[0]?.id])
    expect((await cancel(order.id)).status).toBe(200)
    expect(await stocks(order)).toEqual([10, 10])
  })

  it('by an administrator is remembered as theirs', async () => {
    const { id } = await orderIn('pending')
    expect((await cancel(id, admin)).data).toMatchObject({ status: 'cancelled', userId: ada.id })
    expect(
      await sql(`select actor_id from order_status_history where order_id = $1 and to_status = 'cancelled'`, [
        id,
      ]),
    ).toEqual([{ actor_id: admin.id }])
  })
})
