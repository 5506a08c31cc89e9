import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { password } from '../support/edge-provided.ts'
import { ledgerOf, newCategory, newProduct, newUser, stockOf, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

let ada: TestUser
let bob: TestUser
let admin: TestUser
let categoryId: string

beforeAll(async () => {
  ada = await newUser()
  bob = await newUser()
  admin = await newUser({ role: 'admin' })
  categoryId = (await newCategory()).id
})

type Options = { key?: string; user?: TestUser; body?: unknown }

const post = async (path: string, { key, user = ada, body }: Options = {}) => {
  const headers: Record<string, string> = key === undefined ? {} : { 'Idempotency-Key': key }
  const reply = await api('POST', path, {
    token: user.token,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  return { ...reply, replayed: reply.headers.get('Idempotency-Replayed') }
}

const order = (productId: string, quantity = 1) => ({ items: [{ productId, quantity }] })

const storedKeys = async (key: string) =>
  await sql('select status from idempotency_keys where key = $1', [key])

describe('the same key again', () => {
  it('answers with the same bytes and place, in one call, and changes nothing', async () => {
    const { id } = await newProduct({ categoryId, stock: 10 })
    const key = newId()
    const first = await post('/api/v1/orders', { key, body: order(id, 3) })
    const again = await post('/api/v1/orders', { key, body: order(id, 3) })
    expect([first.status, first.replayed, first.calls]).toEqual([201, null, 1])
    expect([again.status, again.replayed, again.calls]).toEqual([201, 'true', 1])
    expect(again.text).toBe(first.text)
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'))
    expect(await stockOf(id)).toBe(7)
  })

  it('is the same request whatever the order of its fields', async () => {
    const { id } = await newProduct({ categoryId })
    const key = newId()
    await post('/api/v1/orders', { key, body: { items: [{ productId: id, quantity: 1 }] } })
    const again = await post('/api/v1/orders', { key, body: { items: [{ quantity: 1, productId: id }] } })
    expect(again.replayed).toBe('true')
  })

  it('replays each operation that changes something', async () => {
    const { id } = await newProduct({ categoryId, stock: 5 })
    const placed = await post('/api/v1/orders', { body: order(id) })
    const paid = await post('/api/v1/orders', { body: order(id) })
    const idOf = ({ data }: { data: unknown }) => (data as { id: string }).id
    const cases: [string, Options][] = [
      [`/api/v1/orders/${idOf(placed)}/cancel`, {}],
      [`/api/v1/orders/${idOf(paid)}/status`, { user: admin, body: { status: 'paid' } }],
      [`/api/v1/products/${id}/stock`, { user: admin, body: { delta: 2, reason: 'found' } }],
      ['/api/v1/products', { user: admin, body: { name: 'Once', price: '1.00', categoryId } }],
      ['/api/v1/categories', { user: admin, body: { name: 'Once only' } }],
      ['/api/v1/users', { user: admin, body: { name: 'Once', email: `${newId()}@once.example`, password } }],
    ]
    for (const [path, options] of cases) {
      const key = newId()
      const first = await post(path, { ...options, key })
      const again = await post(path, { ...options, key })
      expect([path, first.replayed, again.replayed]).toEqual([path, null, 'true'])
      expect(again.text).toBe(first.text)
      expect(again.status).toBe(first.status)
    }
    expect((await ledgerOf(id)).filter(({ reason }) => reason === 'found')).toHaveLength(1)
  })

  it('is refused for another body', async () => {
    const { id } = await newProduct({ categoryId })
    const key = newId()
    await post('/api/v1/orders', { key, body: order(id, 1) })
    const other = await post('/api/v1/orders', { key, body: order(id, 2) })
    expect([other.status, other.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
    expect(await stockOf(id)).toBe(9)
  })

  it('is refused for another thing under the same operation', async () => {
    const [one, two] = [await newProduct({ categoryId }), await newProduct({ categoryId })]
    const key = newId()
    const body = { delta: 1, reason: 'found' }
    await post(`/api/v1/products/${one.id}/stock`, { key, user: admin, body })
    const other = await post(`/api/v1/products/${two.id}/stock`, { key, user: admin, body })
    expect(other.code).toBe('IDEMPOTENCY_KEY_REUSED')
    expect(await stockOf(two.id)).toBe(10)
  })

  it('belongs to its account and to its operation', async () => {
    const { id } = await newProduct({ categoryId })
    const key = newId()
    const [mine, theirs] = [
      await post('/api/v1/orders', { key, body: order(id) }),
      await post('/api/v1/orders', { key, user: bob, body: order(id) }),
    ]
    expect([mine.replayed, theirs.replayed]).toEqual([null, null])
    expect(mine.text).not.toBe(theirs.text)
    const orderId = (mine.data as { id: string }).id
    const cancelled = await post(`/api/v1/orders/${orderId}/cancel`, { key })
    expect([cancelled.status, cancelled.replayed]).toEqual([200, null])
    expect(await stockOf(id)).toBe(9)
  })

  it('runs anew after a failure, which is not stored', async () => {
    const { id } = await newProduct({ categoryId, stock: 1 })
    const key = newId()
    expect((await post('/api/v1/orders', { key, body: order(id, 2) })).code).toBe('OUT_OF_STOCK')
    expect(await storedKeys(key)).toEqual([])
    await post(`/api/v1/products/${id}/stock`, { user: admin, body: { delta: 1, reason: 'found' } })
    const again = await post('/api/v1/orders', { key, body: order(id, 2) })
    expect([again.status, again.replayed]).toEqual([201, null])
  })

  it('runs anew after 24 hours', async () => {
    const { id } = await newProduct({ categoryId })
    const key = newId()
    const first = await post('/api/v1/orders', { key, body: order(id) })
    await sql("update idempotency_keys set created_at = created_at - interval '24 hours' where key = $1", [
      key,
    ])
    const later = await post('/api/v1/orders', { key, body: order(id, 2) })
    expect([later.status, later.replayed]).toEqual([201, null])
    expect(later.text).not.toBe(first.text)
  })

  it('is no way around the actor guard', async () => {
    const { id } = await newProduct({ categoryId })
    const user = await newUser()
    const key = newId()
    await post('/api/v1/orders', { key, user, body: order(id) })
    await sql('update sessions set revoked_at = now() where user_id = $1', [user.id])
    expect((await post('/api/v1/orders', { key, user, body: order(id) })).code).toBe('UNAUTHENTICATED')
  })
})

describe('the header', () => {
  it.each([
    [255, 201],
    [256, 422],
    [0, 422],
  ])('of %i characters answers %i', async (length, status) => {
    const { id } = await newProduct({ categoryId })
    const reply = await post('/api/v1/orders', { key: 'k'.repeat(length), body: order(id) })
    expect(reply.status).toBe(status)
    if (status === 422) expect(reply.details).toMatchObject([{ field: 'idempotency-key' }])
  })

  it('is refused where the reply holds a secret', async () => {
    const { status, code } = await api('POST', '/api/auth/login', {
      headers: { 'Idempotency-Key': 'login-1' },
      body: { email: ada.email, password },
    })
    expect([status, code]).toEqual([400, 'IDEMPOTENCY_NOT_SUPPORTED'])
  })

  it('keeps no fast hash that a password could be guessed from', async () => {
    const key = newId()
    const body = { name: 'Grace', email: `${newId()}@people.example`, password }
    await post('/api/v1/users', { key, user: admin, body })
    const again = await post('/api/v1/users', {
      key,
      user: admin,
      body: { ...body, password: `${password}!` },
    })
    expect(again.replayed).toBe('true')
  })
})
