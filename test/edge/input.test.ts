import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'

const json = { 'Content-Type': 'application/json' }
const login = '/api/auth/login'
const megabyte = 1_000_000

let user: TestUser
let admin: TestUser

beforeAll(async () => {
  user = await newUser()
  admin = await newUser({ role: 'admin' })
})

/** A body of an exact size whose length is not announced. */
const streamed = (bytes: number): ReadableStream<Uint8Array> => {
  const chunk = new Uint8Array(50_000).fill(0x20)
  let left = bytes
  return new ReadableStream({
    pull(controller) {
      const part = chunk.subarray(0, Math.min(left, chunk.length))
      left -= part.length
      controller.enqueue(part)
      if (left === 0) controller.close()
    },
  })
}

describe('the order of refusals', () => {
  const large = ' '.repeat(megabyte + 1)
  const order = '/api/v1/orders'
  const products = '/api/v1/products'

  it.each([
    ['a large body before a missing login', order, { raw: large, headers: json }, 413],
    [
      'a missing login before another content type',
      order,
      { raw: 'x', headers: { 'Content-Type': 'text/xml' } },
      401,
    ],
    ['a missing login before malformed JSON', order, { raw: '{', headers: json }, 401],
    ['a missing login before an invalid body', order, { body: { items: [] } }, 401],
    ['a missing login before an unknown id', `${order}/nonsense/cancel`, {}, 401],
    ['a bad credential before an invalid body', order, { body: {}, token: 'nonsense' }, 401],
  ])('has %s', async (_, path, options, status) => {
    expect((await api('POST', path, options)).status).toBe(status)
  })

  it('has a missing role before anything that the request says', async () => {
    for (const options of [{ body: { name: 1 } }, { raw: '{', headers: json }, { raw: 'x' }]) {
      expect((await api('POST', products, { ...options, token: user.token })).status).toBe(403)
    }
    expect((await api('DELETE', `${products}/nonsense`, { token: user.token })).status).toBe(403)
  })

  it('has a bad credential refused where none is needed', async () => {
    const { status, headers } = await api('GET', products, { token: 'nonsense' })
    expect(status).toBe(401)
    expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="selvedge", error="invalid_token"')
  })
})

describe('a body of more than 1 MB', () => {
  it('is refused by its announced length', async () => {
    const { status, code } = await api('POST', login, { raw: ' '.repeat(megabyte + 1), headers: json })
    expect([status, code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  it('is refused without an announced length', async () => {
    const { status, code } = await api('POST', login, { raw: streamed(megabyte + 1), headers: json })
    expect([status, code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  it('is refused where no body is expected', async () => {
    expect((await api('POST', '/nowhere', { raw: streamed(2 * megabyte) })).status).toBe(413)
  })

  it.each([
    ['announced', () => ' '.repeat(megabyte)],
    ['streamed', () => streamed(megabyte)],
  ])('begins above a million bytes: %s', async (_, raw) => {
    expect((await api('POST', login, { raw: raw(), headers: json })).code).toBe('MALFORMED_JSON')
  })
})

describe('a body that is not JSON', () => {
  it.each(['', '{', '{"email":}', "{'email':'x'}", '[1,]', 'undefined', '\u0000', '{"a":1}{"a":2}'])(
    'is a 400: %j',
    async (raw) => {
      const { status, code } = await api('POST', login, { raw, headers: json })
      expect([status, code]).toEqual([400, 'MALFORMED_JSON'])
    },
  )

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'json',
    'text/json',
  ])('by its type, %s, is a 415', async (type) => {
    const { status, code } = await api('POST', login, { raw: '{}', headers: { 'Content-Type': type } })
    expect([status, code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it('by a missing type is a 415', async () => {
    const { status } = await api('POST', login, { raw: new Uint8Array([0x7b, 0x7d]) })
    expect(status).toBe(415)
  })

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset=UTF-8'])(
    'is not what %s says',
    async (type) => {
      expect((await api('POST', login, { raw: '{}', headers: { 'Content-Type': type } })).status).toBe(422)
    },
  )
})

/** Each field once: it may break two rules. */
const fieldsOf = (details: unknown): string[] =>
  [...new Set((details as { field: string }[]).map(({ field }) => field))].toSorted()

describe('a body that does not fit', () => {
  const credentials = { email: 'ada@people.example', password: 'x' }
  const line = { productId: newId(), quantity: 1 }
  const product = { name: 'Linen', price: '1.00', categoryId: newId() }

  const asUser: [string, unknown, string[]][] = [
    ['no object', [], ['']],
    ['null', null, ['']],
    ['a number', 1, ['']],
    ['nothing in it', {}, ['items']],
    ['no items', { items: [] }, ['items']],
    ['51 items', { items: Array.from({ length: 51 }, () => line) }, ['items']],
    ['an unknown field', { items: [line], note: 'x' }, ['note']],
    ['an unknown field of an item', { items: [line, { ...line, price: '0.01' }] }, ['items.1.price']],
    ['two unknown fields', { items: [line], a: 1, b: 2 }, ['a', 'b']],
    ['a quantity of 0', { items: [{ ...line, quantity: 0 }] }, ['items.0.quantity']],
    ['a quantity of -1', { items: [{ ...line, quantity: -1 }] }, ['items.0.quantity']],
    ['a quantity of 1000', { items: [{ ...line, quantity: 1_000 }] }, ['items.0.quantity']],
    ['a quantity of 1.5', { items: [{ ...line, quantity: 1.5 }] }, ['items.0.quantity']],
    ['a quantity as text', { items: [{ ...line, quantity: '1' }] }, ['items.0.quantity']],
    ['a quantity beyond safe integers', { items: [{ ...line, quantity: 2 ** 60 }] }, ['items.0.quantity']],
    ['an id that is none', { items: [{ ...line, productId: '1' }] }, ['items.0.productId']],
    ['NUL', { items: [{ ...line, productId: 'a\u0000' }] }, ['items.0.productId']],
    ['a lone surrogate', { items: [{ ...line, productId: '\ud83d' }] }, ['items.0.productId']],
    ['NUL in a field’s name', { items: [line], outer: { 'a\u0000': 1 } }, ['outer']],
  ]
  it.each(asUser)('with %s names its field', async (_, body, fields) => {
    const { status, code, details } = await api('POST', '/api/v1/orders', { body, token: user.token })
    expect([status, code]).toEqual([422, 'VALIDATION_FAILED'])
    expect(fieldsOf(details)).toEqual(fields)
  })

  const asAdmin: [string, object, string[]][] = [
    ['a price as a number', { price: 1 }, ['price']],
    ['a negative price', { price: '-1.00' }, ['price']],
    ['a price of three decimals', { price: '1.005' }, ['price']],
    ['a price of 100,000', { price: '100000' }, ['price']],
    ['a price with an exponent', { price: '1e3' }, ['price']],
    ['a price in words', { price: 'NaN' }, ['price']],
    ['a stock of -1', { stock: -1 }, ['stock']],
    ['a stock beyond a million', { stock: 1_000_001 }, ['stock']],
    ['a short name', { name: ' x ' }, ['name']],
    ['a name of one emoji', { name: '😀' }, ['name']],
    ['a long name', { name: 'x'.repeat(201) }, ['name']],
    ['a long description', { description: 'x'.repeat(5_001) }, ['description']],
    ['NUL in its name', { name: 'Linen\u0000' }, ['name']],
    ['a slug with capitals', { slug: 'Linen' }, ['slug']],
    ['a slug that looks like an id', { slug: newId() }, ['slug']],
    ['a field that only the server sets', { inStock: true, id: newId() }, ['id', 'inStock']],
  ]
  it.each(asAdmin)('with %s names its field', async (_, change, fields) => {
    const { status, details } = await api('POST', '/api/v1/products', {
      body: { ...product, ...change },
      token: admin.token,
    })
    expect(status).toBe(422)
    expect(fieldsOf(details)).toEqual(fields)
  })

  it('with __proto__ is refused by that name and pollutes nothing', async () => {
    const raw = `{"email":"a@b.example","password":"x","__proto__":{"polluted":true}}`
    const { status, details } = await api('POST', login, { raw, headers: json })
    expect(status).toBe(422)
    expect(fieldsOf(details)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it.each(['constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'with %s is refused by that name',
    async (name) => {
      const { status, details } = await api('POST', login, { body: { ...credentials, [name]: { x: 1 } } })
      expect(status).toBe(422)
      expect(fieldsOf(details)).toEqual([name])
    },
  )

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '1}'],
  ])('nested deeper than the stack in %s is refused', async (_, open, close) => {
    const depth = 60_000
    const deep = open.repeat(depth) + (open === '[' ? close.repeat(depth) : `1${'}'.repeat(depth)}`)
    for (const raw of [deep, `{"email":${deep},"password":"x"}`]) {
      expect((await api('POST', login, { raw, headers: json })).status).toBe(422)
    }
  })

  it('with more than 50 faults names 50 of them', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`field${n}`, n]))
    const { details } = await api('POST', login, { body: { ...credentials, ...many } })
    expect(details).toHaveLength(50)
  })

  it('never gives back what was sent', async () => {
    const canary = 'canary-5f1d'
    const { text } = await api('POST', '/api/v1/users', {
      token: admin.token,
      body: { name: canary, email: canary, password: canary, role: canary },
    })
    expect(text).not.toContain(canary)
  })
})

describe('a query that does not fit', () => {
  const faults: [string, string, string[]][] = [
    ['products', 'page=0', ['page']],
    ['products', 'page=-1', ['page']],
    ['products', 'page=1.0', ['page']],
    ['products', 'page=99999999999999999999', ['page']],
    ['products', 'limit=0', ['limit']],
    ['products', 'limit=101', ['limit']],
    ['products', 'page=101&limit=100', ['page']],
    ['products', 'page=1&page=2', ['page']],
    ['products', 'limit=', ['limit']],
    ['products', 'sort=stock', ['sort']],
    ['products', 'sort=name;drop', ['sort']],
    ['products', 'inStock=maybe', ['inStock']],
    ['products', 'minPrice=1e5', ['minPrice']],
    ['products', 'maxPrice=100000', ['maxPrice']],
    ['products', 'minPrice=1&minPrice=2', ['minPrice']],
    ['products', 'q=', ['q']],
    ['products', `q=${'x'.repeat(201)}`, ['q']],
    ['products', 'q=a%00b', ['q']],
    ['products', 'category=%00', ['category']],
    ['products', 'colour=red', ['colour']],
    ['products', 'colour=red&size=1', ['colour', 'size']],
    ['products', '__proto__=x', ['__proto__']],
    ['categories', 'sort=price', ['sort']],
    ['categories', 'q=linen', ['q']],
    ['orders', 'status=lost', ['status']],
    ['orders', 'from=yesterday', ['from']],
    ['orders', 'from=2026-02-30', ['from']],
    ['orders', 'from=0000-01-01', ['from']],
    ['orders', 'to=9999-12-31T23:59:59-23:59', ['to']],
    ['orders', 'to=2026-01-01T00:00:00', ['to']],
    ['orders', 'userId=1', ['userId']],
    ['users', 'q=a', ['q']],
    ['users', 'role=root', ['role']],
    ['users', 'sort=passwordHash', ['sort']],
  ]
  it.each(faults)('of %s, %s, names its field', async (resource, query, fields) => {
    const { status, details } = await api('GET', `/api/v1/${resource}?${query}`, { token: admin.token })
    expect(status).toBe(422)
    expect(fieldsOf(details)).toEqual(fields)
  })

  it.each([
    ['orders', 'from=2026-01-01T00:00:00%2B23:59'],
    ['orders', 'from=0001-01-01&to=9999-12-31'],
    ['orders', 'from=2026-01-01T00:00:00.1234567890123Z'],
    ['products', 'q=%25%27%3B--'],
    ['products', 'q=%22unfinished'],
    ['products', 'q=%F0%9F%98%80'],
    ['products', 'category=no-such-category'],
    ['products', 'minPrice=5&maxPrice=1'],
    ['users', 'q=%25%25'],
    ['users', 'q=%5C_'],
  ])('is not one of %s with %s', async (resource, query) => {
    const { status, data } = await api('GET', `/api/v1/${resource}?${query}`, { token: admin.token })
    expect([status, data]).toEqual([200, []])
  })
})

describe('an id in the path', () => {
  const paths: [string, string][] = [
    ['GET', '/api/v1/users/ID'],
    ['PATCH', '/api/v1/users/ID'],
    ['DELETE', '/api/v1/users/ID'],
    ['PATCH', '/api/v1/categories/ID'],
    ['DELETE', '/api/v1/categories/ID'],
    ['PATCH', '/api/v1/products/ID'],
    ['POST', '/api/v1/products/ID/stock'],
    ['DELETE', '/api/v1/products/ID'],
    ['GET', '/api/v1/orders/ID'],
    ['POST', '/api/v1/orders/ID/cancel'],
    ['POST', '/api/v1/orders/ID/status'],
  ]
  it.each(paths)('that is no UUID is a 404: %s %s', async (method, path) => {
    for (const id of ['1', 'nonsense', "'--", '%00', '00000000-0000-0000-0000-00000000000g']) {
      const { status, code } = await api(method, path.replace('ID', id), {
        token: admin.token,
        ...(['PATCH', 'POST'].includes(method) ? { body: { name: 'Linen' } } : {}),
      })
      expect([status, code]).toEqual([404, 'NOT_FOUND'])
    }
  })

  it.each(['%00', 'a%00b', '%F0%9F%98%80', 'x'.repeat(251), '..%2f..', '%', '%ff', 'linen%20'])(
    'or slug, %s, that names nothing is a 404',
    async (slug) => {
      for (const resource of ['products', 'categories']) {
        expect((await api('GET', `/api/v1/${resource}/${slug}`)).status).toBe(404)
      }
    },
  )
})

describe('a header', () => {
  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'Token abc', `Bearer ${'x'.repeat(10_000)}`])(
    'Authorization: %.20s is a 401',
    async (authorization) => {
      const { status, code } = await api('GET', '/api/auth/me', { headers: { Authorization: authorization } })
      expect([status, code]).toEqual([401, 'UNAUTHENTICATED'])
    },
  )
})
