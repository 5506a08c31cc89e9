import { Faker, en } from '@faker-js/faker'
import { v7 } from 'uuid'
import { orderStatuses, type OrderStatus } from '../../src/orders/status.ts'
import { loadSlugOf } from '../../src/shared/slug.ts'
import { makeProducts, ranges } from './catalogue.ts'

const day = 24 * 60 * 60 * 1_000

const sizes = { products: 300, customers: 40, orders: 500, days: 60 }

const paths: Record<OrderStatus, OrderStatus[]> = {
  pending: ['pending'],
  paid: ['pending', 'paid'],
  shipped: ['pending', 'paid', 'shipped'],
  delivered: ['pending', 'paid', 'shipped', 'delivered'],
  cancelled: ['pending', 'cancelled'],
}

type Login = { role: string; email: string; password: string }

export const logins: [Login, Login] = [
  { role: 'admin', email: 'admin@selvedge.test', password: 'Selvedge-Dev-1!' },
  { role: 'user', email: 'customer@selvedge.test', password: 'Selvedge-Dev-1!' },
]

const toCents = (price: string): bigint => BigInt(price.replace('.', ''))

const fromCents = (cents: bigint): string => `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`

/**
 * All rows of the demonstration data, the same at every call but for `now`: everything is dated back from it.
 * Column names are the database's; ledger, totals and histories agree with each other.
 */
export const makeRows = async (now: number, passwordHash: string) => {
  const slugOf = await loadSlugOf()
  const faker = new Faker({ locale: en, seed: 20_261_120 })
  const idAt = (time: number) =>
    v7({ msecs: time, random: Uint8Array.from({ length: 16 }, () => faker.number.int(255)) })
  const between = (from: number, to: number) =>
    faker.number.int({ min: now - from * day, max: now - to * day })
  const at = (time: number) => new Date(time).toISOString()
  const stamps = (time: number) => ({ created_at: at(time), updated_at: at(time) })

  const person = (role: string, name: string, email: string) => {
    const time = between(sizes.days * 2, sizes.days + 1)
    return {
      id: idAt(time),
      name,
      email,
      password_hash: passwordHash,
      role,
      verified_at: at(time),
      ...stamps(time),
    }
  }
  const admin = person('admin', 'Ada Admin', logins[0].email)
  const customers = Array.from({ length: sizes.customers }, (_, n) => {
    const [first, last] = [faker.person.firstName(), faker.person.lastName()]
    const email =
      n === 0
        ? logins[1].email
        : `${first}.${last}.${n}@selvedge.test`.toLowerCase().replace(/[^a-z0-9.@]/g, '')
    return person('user', `${first} ${last}`, email)
  })

  const categories = ranges.map(({ name }) => {
    const time = between(sizes.days * 2, sizes.days + 30)
    const id = idAt(time)
    return { id, name, slug: slugOf(name, id), ...stamps(time) }
  })
  const products = makeProducts(faker, sizes.products).map(({ category, ...product }) => {
    const time = between(sizes.days + 25, sizes.days + 1)
    const id = idAt(time)
    // One in twenty is sold out.
    const stock = faker.number.int({ min: 1, max: 20 }) === 1 ? 0 : faker.number.int({ min: 3, max: 250 })
    return {
      id,
      ...product,
      slug: slugOf(product.name, id),
      stock,
      category_id: categories[category]?.id,
      ...stamps(time),
    }
  })

  const sold = new Map<string, number>()
  const orders = Array.from({ length: sizes.orders }, (_, n) => {
    const placed = between(sizes.days, 0)
    const status = orderStatuses[n % orderStatuses.length] ?? 'pending'
    const customer = faker.helpers.arrayElement(customers)
    const id = idAt(placed)
    const items = faker.helpers
      .arrayElements(products, { min: 1, max: 5 })
      .map(({ id: product_id, name, price }, position) => {
        const quantity = faker.number.int({ min: 1, max: 4 })
        if (status !== 'cancelled') sold.set(product_id, (sold.get(product_id) ?? 0) + quantity)
        return { order_id: id, position, product_id, name, quantity, unit_price: price }
      })
    const history = paths[status].map((to_status, step) => ({
      order_id: id,
      actor_id: step === 0 || to_status === 'cancelled' ? customer.id : admin.id,
      from_status: paths[status][step - 1] ?? null,
      to_status,
      at: at(Math.min(now, placed + step * 6 * 60 * 60 * 1_000)),
    }))
    const total = fromCents(
      items.reduce((sum, { quantity, unit_price }) => sum + BigInt(quantity) * toCents(unit_price), 0n),
    )
    const updated_at = history.at(-1)?.at
    return {
      row: { id, user_id: customer.id, status, total, created_at: at(placed), updated_at },
      items,
      history,
    }
  })

  const sales = orders.flatMap(({ row, items }) =>
    items.flatMap(({ product_id, quantity, order_id }) => {
      const movement = { product_id, order_id, actor_id: row.user_id }
      const sale = { ...movement, delta: -quantity, reason: 'order', at: row.created_at }
      const back = { ...movement, delta: quantity, reason: 'cancellation', at: row.updated_at }
      return row.status === 'cancelled' ? [sale, back] : [sale]
    }),
  )
  const initial = products.flatMap(({ id, stock, created_at }) => {
    const delta = stock + (sold.get(id) ?? 0)
    return delta === 0
      ? []
      : [{ product_id: id, order_id: null, actor_id: admin.id, delta, reason: 'initial', at: created_at }]
  })

  return {
    users: [admin, ...customers],
    categories,
    products,
    orders: orders.map(({ row }) => row),
    order_items: orders.flatMap(({ items }) => items),
    order_status_history: orders.flatMap(({ history }) => history),
    stock_movements: [...initial, ...sales],
  }
}
