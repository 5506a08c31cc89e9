import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { createSecrets } from '../../src/api-keys/secret.ts'
import { readConfig } from '../../src/config.ts'
import { createServices } from '../../src/services.ts'
import { newId } from '../../src/shared/ids.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { startOnce } from '../../workers/api.ts'
import { api } from '../support/edge-api.ts'
import { appWith } from '../support/edge-app.ts'
import { newKey, objectOf, runRenewals, watchedKeys } from '../support/edge-keys.ts'
import { limitedApp, newAddress, watchedWindows } from '../support/edge-limits.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

let [ada, admin] = [] as unknown as [TestUser, TestUser]
let productId: string

beforeAll(async () => {
  ada = await newUser()
  admin = await newUser({ role: 'admin' })
  const { id: categoryId } = await newCategory()
  productId = (await newProduct({ categoryId, stock: 1_000 })).id
})

const orders = (key: string) => api('GET', '/api/v1/orders', { token: key })

const create = (token: string, body: object) => api('POST', '/api/v1/api-keys', { token, body })

const rowOf = async (id: string) => (await sql('select * from api_keys where id = $1', [id]))[0]

const audits = async (id: string) =>
  (
    await sql<{ action: string }>('select action from audit_events where subject = $1 order by at, id', [id])
  ).map(({ action }) => action)

describe('making an API key', () => {
  it('shows it this once, keeps only its hash, and tells the audit', async () => {
    const reply = await create(ada.token, { name: ' Warehouse ', scopes: ['orders:read'] })
    const { id, key } = reply.data as { id: string; key: string }
    expect(reply.status).toBe(201)
    expect(reply.headers.get('Location')).toBe(`/api/v1/api-keys/${id}`)
    expect(reply.headers.get('Cache-Control')).toBe('no-store')
    expect(reply.calls).toBe(1)
    expect(reply.data).toMatchObject({ name: 'Warehouse', scopes: ['orders:read'], lastUsedAt: null })
    expect(key.startsWith(`sk_test_${id.replaceAll('-', '')}_`)).toBe(true)
    expect(JSON.stringify(await rowOf(id))).not.toContain(key.slice(-40))
    const list = await api('GET', '/api/v1/api-keys', { token: ada.token })
    const one = await api('GET', `/api/v1/api-keys/${id}`, { token: ada.token })
    for (const { text } of [list, one]) {
      expect(text).toContain(id)
      expect(text).not.toContain(key.slice(-40))
    }
    expect(await audits(id)).toEqual(['apiKey.created'])
  })

  it.each<[string, object, string]>([
    ['no name', { scopes: ['orders:read'] }, 'name'],
    ['an empty name', { name: ' ', scopes: ['orders:read'] }, 'name'],
    ['no scope', { name: 'x', scopes: [] }, 'scopes'],
    ['an unknown scope', { name: 'x', scopes: ['users:write'] }, 'scopes.0'],
    ['a scope twice', { name: 'x', scopes: ['orders:read', 'orders:read'] }, 'scopes'],
    ['a scope for administrators', { name: 'x', scopes: ['orders:read', 'products:write'] }, 'scopes.1'],
    [
      'an end that is past',
      { name: 'x', scopes: ['orders:read'], expiresAt: '2026-01-01T00:00:00Z' },
      'expiresAt',
    ],
    ['an end that is no moment', { name: 'x', scopes: ['orders:read'], expiresAt: 'soon' }, 'expiresAt'],
    ['a field of somebody else', { name: 'x', scopes: ['orders:read'], userId: newId() }, 'userId'],
  ])('refuses %s', async (_, body, field) => {
    const { status, details } = await create(ada.token, body)
    expect([status, details]).toEqual([422, [expect.objectContaining({ field })]])
  })

  it('takes no Idempotency-Key: the reply is kept nowhere', async () => {
    const { code } = await api('POST', '/api/v1/api-keys', {
      ...{ token: ada.token, headers: { 'Idempotency-Key': 'k' } },
      body: { name: 'x', scopes: ['orders:read'] },
    })
    expect(code).toBe('IDEMPOTENCY_NOT_SUPPORTED')
  })

  it('stops at 20 living keys of an account; ended ones do not count', async () => {
    const eve = await newUser()
    const keys = []
    for (let n = 0; n < 20; n++) keys.push(await newKey(eve.token, ['orders:read']))
    const full = await create(eve.token, { name: 'x', scopes: ['orders:read'] })
    expect([full.status, full.code, full.details]).toEqual([409, 'API_KEY_QUOTA', { limit: 20 }])
    await api('DELETE', `/api/v1/api-keys/${keys[0]?.id}`, { token: eve.token })
    expect((await create(eve.token, { name: 'x', scopes: ['orders:read'] })).status).toBe(201)
  })
})

describe('an API key', () => {
  it('acts for its account where its scopes allow, in one call to the database', async () => {
    const { key } = await newKey(ada.token, ['orders:read', 'orders:write'])
    const body = { items: [{ productId, quantity: 1 }] }
    const placed = await api('POST', '/api/v1/orders', { token: key, body })
    expect([placed.status, placed.calls]).toEqual([201, 1])
    expect(placed.data).toMatchObject({ userId: ada.id })
    const listed = await orders(key)
    expect([listed.status, listed.calls, listed.headers.get('Vary')]).toEqual([
      200,
      1,
      expect.stringContaining('Authorization'),
    ])
    expect(listed.headers.get('Cache-Control')).toBe('no-store')
  })

  it('sees no orders of others', async () => {
    const { key } = await newKey((await newUser()).token, ['orders:read'])
    const placed = await api('POST', '/api/v1/orders', {
      ...{ token: ada.token, body: { items: [{ productId, quantity: 1 }] } },
    })
    const { id } = placed.data as { id: string }
    const foreign = await api('GET', `/api/v1/orders/${id}`, { token: key })
    const unknown = await api('GET', `/api/v1/orders/${newId()}`, { token: key })
    expect([foreign.status, foreign.error?.message]).toEqual([unknown.status, unknown.error?.message])
  })

  it('is told the scope that it lacks', async () => {
    const { key } = await newKey(ada.token, ['orders:read'])
    const body = { items: [{ productId, quantity: 1 }] }
    const reply = await api('POST', '/api/v1/orders', { token: key, body })
    expect([reply.status, reply.code, reply.details]).toEqual([
      403,
      'INSUFFICIENT_SCOPE',
      { scope: 'orders:write' },
    ])
    expect((await api('GET', '/api/v1/products', { token: key })).code).toBe('INSUFFICIENT_SCOPE')
  })

  it('replays what was answered under its Idempotency-Key, until it ends', async () => {
    const { id, key } = await newKey(ada.token, ['orders:write'])
    const options = {
      token: key,
      headers: { 'Idempotency-Key': newId() },
      body: { items: [{ productId, quantity: 1 }] },
    }
    const first = await api('POST', '/api/v1/orders', options)
    const again = await api('POST', '/api/v1/orders', options)
    expect([again.text, again.headers.get('Idempotency-Replayed')]).toEqual([first.text, 'true'])
    await api('DELETE', `/api/v1/api-keys/${id}`, { token: ada.token })
    expect((await api('POST', '/api/v1/orders', options)).status).toBe(401)
  })

  it('ends with its time', async () => {
    const { id, key } = await newKey(ada.token, ['orders:read'], {
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    })
    expect((await orders(key)).status).toBe(200)
    await sql(
      `update api_keys set created_at = now() - interval '1 hour', expires_at = now() - interval '1 second' where id = $1`,
      [id],
    )
    // The guard knows at once, the object when it hears of it.
    expect((await orders(key)).status).toBe(401)
    await objectOf(id).renew()
    const { status, headers, calls } = await orders(key)
    expect([status, calls, headers.get('WWW-Authenticate')]).toEqual([
      401,
      0,
      expect.stringContaining('error="invalid_token"'),
    ])
  })

  it('manages neither keys nor sessions nor accounts, and such a try reaches nothing', async () => {
    const { id, key } = await newKey(admin.token, ['orders:read', 'products:write'])
    const tries: [string, string, object?][] = [
      ['POST', '/api/v1/api-keys', { name: 'x', scopes: ['orders:read'] }],
      ['GET', '/api/v1/api-keys'],
      ['DELETE', `/api/v1/api-keys/${id}`],
      ['POST', `/api/v1/api-keys/${id}/rotate`, { overlapSeconds: 0 }],
      ['POST', '/api/auth/logout-all'],
      ['POST', '/api/auth/change-password', { currentPassword: 'x', password: 'Warp-and-Weft-7' }],
      ['PATCH', `/api/v1/users/${admin.id}`, { plan: 'enterprise' }],
      ['GET', '/api/v1/users'],
      ['GET', '/api/v1/admin/jobs'],
    ]
    for (const [method, path, body] of tries) {
      const reply = await api(method, path, { token: key, body })
      expect([reply.code, reply.calls], path).toEqual(['FORBIDDEN', 0])
    }
  })

  it('stands in no log line', async () => {
    const { lines, request } = appWith({ env: { LOG_LEVEL: 'debug' } })
    const { key } = await newKey(ada.token, ['orders:read'])
    await request('/api/v1/orders', { headers: { Authorization: `Bearer ${key}`, 'X-Note': `my ${key}` } })
    await request(`/api/v1/orders/${key}`, { headers: { Authorization: `Bearer ${ada.token}` } })
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.join('\n')).not.toContain(key.slice(42, 80))
    expect(lines.join('\n')).toContain('keyId=')
  })
})

describe('guessed keys', () => {
  const other = createSecrets('another secret', { isProduction: false })

  it('10,000 of them reach no object', async () => {
    const { calls, keys } = watchedKeys()
    const { log } = startOnce(env)
    const context = { log, meter: newMeter(), origin: { requestId: newId() }, after: () => undefined }
    const { apiKeys } = createServices(readConfig(env), { ...env, API_KEYS: keys })(context)
    const { key } = await newKey(ada.token, ['orders:read'])
    let admitted = 0
    for (let n = 0; n < 10_000; n++) {
      const guess = n % 2 === 0 ? other.make(newId()).key : key.slice(0, -6) + String(n).padStart(6, 'x')
      if ((await apiKeys.authenticate(guess)) !== undefined) admitted += 1
    }
    expect([admitted, calls]).toEqual([0, []])
    expect(await apiKeys.authenticate(key)).toBeDefined()
    expect(calls).toEqual(['admit'])
  })

  it('count by their address, where a key of ours does not', async () => {
    const { calls, keys } = watchedKeys()
    const windows = watchedWindows()
    const { request } = appWith({ keys, windows: windows.windows })
    const { key } = await newKey(ada.token, ['orders:read'])
    const ask = async (token: string) =>
      (await request('/api/v1/orders', { headers: { Authorization: `Bearer ${token}` } })).status
    for (let n = 0; n < 10; n++) expect(await ask(other.make(newId()).key)).toBe(401)
    expect([calls, windows.calls.length]).toEqual([[], 10])
    expect(await ask(key)).toBe(200)
    expect([calls, windows.calls.length]).toEqual([['admit'], 10])
    // Where no key may be used it is asked whether it lives, and the address counts all the same.
    await request('/api/auth/me', { headers: { Authorization: `Bearer ${key}` } })
    expect([calls, windows.calls.length]).toEqual([['admit', 'admit'], 11])
  })
})

describe('revoking an API key', () => {
  it('ends it before the answer, for good, and only for its owner', async () => {
    const { id, key } = await newKey(ada.token, ['orders:read'])
    expect((await orders(key)).status).toBe(200)
    const stranger = await newUser()
    expect((await api('DELETE', `/api/v1/api-keys/${id}`, { token: stranger.token })).status).toBe(404)
    expect((await api('DELETE', `/api/v1/api-keys/${id}`, { token: admin.token })).status).toBe(404)
    expect((await orders(key)).status).toBe(200)
    expect((await api('DELETE', `/api/v1/api-keys/${id}`, { token: ada.token })).status).toBe(204)
    const after = await orders(key)
    expect([after.status, after.calls]).toEqual([401, 0])
    // And not that keys may not do this, where none may.
    for (const path of ['/api/auth/me', '/api/v1/api-keys', '/api/v1/admin/jobs']) {
      expect((await api('GET', path, { token: key })).status).toBe(401)
    }
    await evictDurableObject(objectOf(id))
    expect((await orders(key)).status).toBe(401)
    expect((await api('DELETE', `/api/v1/api-keys/${id}`, { token: ada.token })).status).toBe(404)
    expect((await api('GET', `/api/v1/api-keys/${id}`, { token: ada.token })).status).toBe(404)
    expect(await audits(id)).toEqual(['apiKey.created', 'apiKey.revoked'])
    expect(await runRenewals(id)).toBe(1)
  })

  it('is healed by its job when the call to the object is lost; until then the guard refuses', async () => {
    const { id, key } = await newKey(ada.token, ['orders:read', 'products:read'])
    expect((await orders(key)).status).toBe(200)
    const { keys } = watchedKeys(['revoke'])
    const { request, lines } = appWith({ keys })
    const { status } = await request(`/api/v1/api-keys/${id}`, {
      ...{ method: 'DELETE', headers: { Authorization: `Bearer ${ada.token}` } },
    })
    expect(status).toBe(204)
    expect(lines.join('\n')).toContain('object of an API key not told')
    // The object still believes what it loaded, and the database does not.
    const guarded = await orders(key)
    expect([guarded.status, guarded.calls]).toEqual([401, 1])
    expect(await runRenewals(id)).toBe(1)
    const healed = await orders(key)
    expect([healed.status, healed.calls]).toEqual([401, 0])
  })
})

describe('rotating an API key', () => {
  const rotate = async (id: string, overlapSeconds: number) =>
    await api('POST', `/api/v1/api-keys/${id}/rotate`, { token: ada.token, body: { overlapSeconds } })

  it('lets both secrets work for the overlap, the old one no longer', async () => {
    const { id, key: old } = await newKey(ada.token, ['orders:read'])
    const reply = await rotate(id, 600)
    const { key, previousUntil } = reply.data as { key: string; previousUntil: string }
    expect(key).not.toBe(old)
    expect(Date.parse(previousUntil) - Date.now()).toBeGreaterThan(590_000)
    expect([(await orders(old)).status, (await orders(key)).status]).toEqual([200, 200])
    await sql(`update api_keys set previous_until = now() - interval '1 second' where id = $1`, [id])
    expect([(await orders(old)).status, (await orders(key)).status]).toEqual([401, 200])
    await objectOf(id).renew()
    expect((await orders(old)).calls).toBe(0)
  })

  it('keeps one secret before the last: a second rotation ends the first at once', async () => {
    const { id, key: first } = await newKey(ada.token, ['orders:read'])
    const second = ((await rotate(id, 600)).data as { key: string }).key
    const third = ((await rotate(id, 600)).data as { key: string }).key
    expect(await Promise.all([first, second, third].map(async (key) => (await orders(key)).status))).toEqual([
      401, 200, 200,
    ])
    expect(await audits(id)).toEqual(['apiKey.created', 'apiKey.rotated', 'apiKey.rotated'])
  })

  it('ends the old secret at once without overlap', async () => {
    const { id, key: old } = await newKey(ada.token, ['orders:read'])
    expect((await orders(old)).status).toBe(200)
    const { key } = (await rotate(id, 0)).data as { key: string }
    expect([(await orders(old)).status, (await orders(key)).status]).toEqual([401, 200])
  })

  it('refuses a longer overlap than a week, and a key that is not one’s own', async () => {
    const { id } = await newKey(ada.token, ['orders:read'])
    expect((await rotate(id, 604_801)).status).toBe(422)
    const body = { overlapSeconds: 0 }
    const foreign = await api('POST', `/api/v1/api-keys/${id}/rotate`, { token: admin.token, body })
    expect(foreign.status).toBe(404)
  })
})

describe('the limit of an API key', () => {
  const limits = {
    'key.free': { points: 3, duration: 3_600 },
    'key.pro': { points: 6, duration: 3_600 },
    global: { points: 1, duration: 3_600 },
  }

  const asking =
    (request: ReturnType<typeof appWith>['request'], key: string, address: string) => async () => {
      const { status, headers } = await request('/api/v1/orders', {
        headers: { Authorization: `Bearer ${key}`, 'CF-Connecting-IP': address },
      })
      const of = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'Retry-After'].map((name) =>
        headers.get(name),
      )
      return { status, of, policy: headers.get('RateLimit-Policy') }
    }

  it('is that of its plan, told on every answer, and in place of that of the address', async () => {
    const { key } = await newKey(ada.token, ['orders:read'])
    const { calls, keys } = watchedKeys()
    const { request } = limitedApp(limits, { keys })
    const ask = asking(request, key, newAddress())
    expect(await ask()).toEqual({ status: 200, of: ['3', '2', null], policy: '"key.free";q=3;w=3600' })
    await ask()
    expect((await ask()).of).toEqual(['3', '0', null])
    expect(await ask()).toMatchObject({ status: 429, of: ['3', '0', expect.stringMatching(/^3[56]\d\d$/)] })
    expect(calls).toHaveLength(4)
    expect((await ask()).status).toBe(429)
    // Known to be denied: not asked again.
    expect(calls).toHaveLength(4)
  })

  it('counts also what the key may not do, and what is not there', async () => {
    const { key } = await newKey(ada.token, ['orders:read'])
    const { request } = limitedApp(limits)
    const headers = { Authorization: `Bearer ${key}` }
    const remaining = async (path: string, init: RequestInit = {}) => {
      const reply = await request(path, { ...init, headers })
      return [reply.status, reply.headers.get('X-RateLimit-Remaining')]
    }
    expect(await remaining(`/api/v1/orders/${newId()}`)).toEqual([404, '2'])
    expect(await remaining('/api/v1/products')).toEqual([403, '1'])
    expect(await remaining('/api/v1/orders?limit=x')).toEqual([422, '0'])
  })

  it('survives an eviction in mid-window', async () => {
    const { id, key } = await newKey(ada.token, ['orders:read'])
    const { request } = limitedApp(limits)
    const ask = asking(request, key, newAddress())
    await ask()
    await ask()
    await evictDurableObject(objectOf(id))
    expect((await ask()).of).toEqual(['3', '0', null])
    await evictDurableObject(objectOf(id))
    expect((await ask()).status).toBe(429)
  })

  it('follows the plan within a job, and forgets nothing that was used', async () => {
    const bob = await newUser()
    const { id, key } = await newKey(bob.token, ['orders:read'])
    const { request } = limitedApp(limits)
    const ask = asking(request, key, newAddress())
    await ask()
    const change = (token: string) =>
      api('PATCH', `/api/v1/users/${bob.id}`, { token, body: { plan: 'pro' } })
    expect((await change(bob.token)).code).toBe('FORBIDDEN')
    const changed = await change(admin.token)
    expect(changed.data).toMatchObject({ plan: 'pro' })
    expect(await audits(bob.id)).toEqual(['plan.changed'])
    expect(await runRenewals(id)).toBe(1)
    expect(await ask()).toEqual({ status: 200, of: ['6', '4', null], policy: '"key.pro";q=6;w=3600' })
  })
})

describe('the account of an API key', () => {
  it('takes its keys along when it is deleted', async () => {
    const bob = await newUser()
    const { id, key } = await newKey(bob.token, ['orders:read', 'products:read'])
    expect((await orders(key)).status).toBe(200)
    expect((await api('DELETE', `/api/v1/users/${bob.id}`, { token: admin.token })).status).toBe(204)
    expect([(await orders(key)).status, (await orders(key)).calls]).toEqual([401, 1])
    expect(await runRenewals(id)).toBe(1)
    expect([(await orders(key)).status, (await orders(key)).calls]).toEqual([401, 0])
    expect(await rowOf(id)).toMatchObject({ name: 'Deleted key', revoked_at: expect.anything() as unknown })
    expect(await audits(id)).toEqual(['apiKey.created', 'apiKey.revoked'])
  })

  it('loses those that it made as administrator when it is demoted, and no others', async () => {
    const carol = await newUser()
    const plain = await newKey(carol.token, ['orders:read'])
    await sql(`update users set role = 'admin' where id = $1`, [carol.id])
    // What was made by a user stays a user's.
    expect((await api('GET', `/api/v1/orders?userId=${ada.id}`, { token: plain.key })).status).toBe(403)
    const boss = await newUser({ role: 'admin' })
    const mighty = await newKey(boss.token, ['products:write', 'orders:read'])
    const stock = (key: string) =>
      api('POST', `/api/v1/products/${productId}/stock`, { token: key, body: { delta: 1, reason: 'count' } })
    expect((await stock(mighty.key)).status).toBe(200)
    expect((await api('GET', `/api/v1/orders?userId=${ada.id}`, { token: mighty.key })).status).toBe(200)
    for (const { id } of [carol, boss]) {
      const reply = await api('PATCH', `/api/v1/users/${id}`, { token: admin.token, body: { role: 'user' } })
      expect(reply.status).toBe(200)
    }
    expect((await stock(mighty.key)).status).toBe(401)
    expect((await orders(plain.key)).status).toBe(200)
    expect(await runRenewals(plain.id, mighty.id)).toBe(2)
    expect([(await stock(mighty.key)).calls, (await orders(plain.key)).status]).toEqual([0, 200])
  })
})

describe('the use of an API key', () => {
  const usage = async (id: string) =>
    (await api('GET', `/api/v1/api-keys/${id}/usage?days=3`, { token: ada.token })).data as {
      day: string
      requests: number
    }[]

  it('is told by the alarm, by day, and counted once however often it is told', async () => {
    const { id, key } = await newKey(ada.token, ['orders:read'])
    const object = objectOf(id)
    for (let n = 0; n < 3; n++) await orders(key)
    expect((await usage(id)).map(({ requests }) => requests)).toEqual([0, 0, 0])
    expect(await runDurableObjectAlarm(object)).toBe(true)
    const today = new Date().toISOString().slice(0, 10)
    expect((await usage(id)).at(-1)).toEqual({ day: today, requests: 3 })
    // The word arrived and the object does not know: it tells the same again.
    await evictDurableObject(object)
    await runInDurableObject(object, (_, { storage }) =>
      storage.kv.put('tally', { days: { [today]: { requests: 3, told: 0 } }, lastUsedAt: Date.now() }),
    )
    await evictDurableObject(object)
    await orders(key)
    await runInDurableObject(object, (_, { storage }) => storage.setAlarm(Date.now() + 60_000))
    await runDurableObjectAlarm(object)
    expect((await usage(id)).at(-1)?.requests).toBe(4)
    const { lastUsedAt } = (await api('GET', `/api/v1/api-keys/${id}`, { token: ada.token })).data as {
      lastUsedAt: string
    }
    expect(Date.now() - Date.parse(lastUsedAt)).toBeLessThan(60_000)
  })

  it('costs no call to the database by itself', async () => {
    const { key } = await newKey(ada.token, ['products:read'])
    expect((await api('GET', '/api/v1/products?limit=1', { token: key })).calls).toBe(1)
  })

  it('leaves nothing behind once nothing of it is needed', async () => {
    const object = env.API_KEYS.getByName(newId())
    await object.revoke()
    await runInDurableObject(object, (_, { storage }) =>
      storage.kv.put('kept', { generation: 1, revokedAt: Date.now() - 2 * 86_400_000, loaded: undefined }),
    )
    await evictDurableObject(object)
    expect(await runDurableObjectAlarm(object)).toBe(true)
    expect(await runInDurableObject(object, (_, { storage }) => [...storage.kv.list()].length)).toBe(0)
  })

  it('is shown to the owner alone', async () => {
    const { id } = await newKey(ada.token, ['orders:read'])
    const { status } = await api('GET', `/api/v1/api-keys/${id}/usage`, { token: admin.token })
    expect(status).toBe(404)
  })
})

describe('when an object or the database is away', () => {
  it('refuses with 503 where nobody can tell whether the key lives', async () => {
    const { key } = await newKey(ada.token, ['orders:read'])
    const { request } = appWith({ keys: watchedKeys(['admit']).keys })
    const { status, headers } = await request('/api/v1/orders', {
      headers: { Authorization: `Bearer ${key}` },
    })
    expect([status, headers.get('Retry-After')]).toEqual([503, '2'])
  })
})
