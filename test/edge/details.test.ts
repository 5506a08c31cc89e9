import { beforeAll, describe, expect, it } from 'vitest'
import { api } from '../support/edge-api.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

let admin: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
})

describe('the type of a JSON body', () => {
  it.each([
    'application/json ; charset=utf-8',
    'application/json;',
    'application/json; charset=utf-8; ',
    'application/vnd.a_b+json',
    'APPLICATION/JSON',
  ])('may be spelled %s', async (type) => {
    const raw = JSON.stringify({ email: 'nobody@people.example', password: 'x' })
    const { code } = await api('POST', '/api/auth/login', { raw, headers: { 'Content-Type': type } })
    expect(code).toBe('INVALID_CREDENTIALS')
  })
})

describe('a token whose session has ended', () => {
  it('is called invalid to its client, also on a public list', async () => {
    const user = await newUser()
    await sql('update sessions set revoked_at = now() where user_id = $1', [user.id])
    for (const path of ['/api/auth/me', '/api/v1/products']) {
      const { status, headers } = await api('GET', path, { token: user.token })
      expect([status, headers.get('WWW-Authenticate')]).toEqual([
        401,
        expect.stringContaining('invalid_token'),
      ])
    }
  })
})

describe('what an account is shown', () => {
  it('is kept by no cache', async () => {
    const { headers } = await api('GET', '/api/v1/orders', { token: admin.token })
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('Vary')).toContain('Authorization')
  })
})

describe('archived categories', () => {
  it('come back when an administrator asks, and only then take products back', async () => {
    const { id } = await newCategory()
    const product = await newProduct({ categoryId: id, archived: true })
    const token = admin.token
    await api('DELETE', `/api/v1/categories/${id}`, { token })
    const early = await api('PATCH', `/api/v1/products/${product.id}`, { token, body: { archived: false } })
    expect(early.details).toMatchObject([{ field: 'categoryId' }])
    const restored = await api('PATCH', `/api/v1/categories/${id}`, { token, body: { archived: false } })
    expect(restored.data).toMatchObject({ id, archivedAt: null })
    const late = await api('PATCH', `/api/v1/products/${product.id}`, { token, body: { archived: false } })
    expect(late.data).toMatchObject({ id: product.id, archivedAt: null })
  })
})

describe('a stock', () => {
  it('has a bound that is told at the field', async () => {
    const { id } = await newProduct({ categoryId: (await newCategory()).id, stock: 999_999 })
    const body = { delta: 2, reason: 'found' }
    const { status, details } = await api('POST', `/api/v1/products/${id}/stock`, {
      token: admin.token,
      body,
    })
    expect([status, details]).toEqual([
      422,
      [{ field: 'delta', message: expect.stringContaining('1000000') }],
    ])
  })

  it.each(['initial', 'order', 'cancellation'])(
    'is not changed for the reason "%s" of the system',
    async (reason) => {
      const { id } = await newProduct({ categoryId: (await newCategory()).id })
      const body = { delta: 1, reason }
      const { details } = await api('POST', `/api/v1/products/${id}/stock`, { token: admin.token, body })
      expect(details).toMatchObject([{ field: 'reason' }])
    },
  )
})

describe('an account', () => {
  it('takes neither the address of a deleted one nor a name that drives a terminal', async () => {
    const { id } = await newUser()
    const body = { name: 'Eve \u001b[31m', email: `${id}@deleted.invalid`, password: 'Warp-and-Weft-7' }
    const { details } = await api('POST', '/api/v1/users', { token: admin.token, body })
    expect((details as { field: string }[]).map(({ field }) => field)).toEqual(['name', 'email'])
  })

  it('takes no common password in full-width letters', async () => {
    const body = { name: 'Eve', email: 'eve@people.example', password: 'Ｐａｓｓｗｏｒｄ１！' }
    const { details } = await api('POST', '/api/v1/users', { token: admin.token, body })
    expect(details).toMatchObject([{ field: 'password' }])
  })
})

describe('an operation that takes no body', () => {
  it('does not look at one', async () => {
    const { status } = await api('POST', `/api/v1/orders/${admin.id}/cancel?x=%00`, {
      token: admin.token,
      body: { a: '\u0000' },
    })
    expect(status).toBe(404)
  })
})
