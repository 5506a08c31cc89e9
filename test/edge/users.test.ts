import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { User } from '../../src/users/schema.ts'
import { api } from '../support/edge-api.ts'
import { limitedApp, newAddress } from '../support/edge-limits.ts'
import { idsOf, idsOfPages, list } from '../support/edge-lists.ts'
import { password } from '../support/edge-provided.ts'
import { newUser, type TestUser } from '../support/edge-rows.ts'
import { insert, sql } from '../support/edge-sql.ts'

const path = '/api/v1/users'
const newPassword = 'Weft-and-Warp-8'

let admin: TestUser

beforeAll(async () => {
  admin = await newUser({ role: 'admin', name: 'Root Admin' })
})

const login = async (email: string, secret: string) =>
  (await api('POST', '/api/auth/login', { body: { email, password: secret } })).status

const change = (id: string, body: object, { token }: TestUser = admin) =>
  api('PATCH', `${path}/${id}`, { body, token })

const create = (body: object, { token }: TestUser = admin) => api('POST', path, { body, token })

const remove = (id: string, { token }: TestUser = admin) => api('DELETE', `${path}/${id}`, { token })

const isLoggedIn = async ({ token }: TestUser) => (await api('GET', '/api/auth/me', { token })).status === 200

describe('creating an account', () => {
  it('answers it with its place, without its password, in one call', async () => {
    const email = `${newId()}@people.example`
    const { status, data, headers, calls, text } = await create({ name: ' Ada Byron ', email, password })
    expect([status, calls]).toEqual([201, 1])
    const user = User.parse(data)
    expect(user).toMatchObject({ name: 'Ada Byron', email, role: 'user' })
    expect(user.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(user.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(headers.get('Location')).toBe(`${path}/${user.id}`)
    expect(text).not.toMatch(/hash|scrypt/)
    expect(await login(email, password)).toBe(200)
  })

  it('keeps the address in lower case', async () => {
    const id = newId()
    const { data } = await create({ name: 'Ada', email: ` ${id}@PEOPLE.example `, password, role: 'admin' })
    expect(data).toMatchObject({ email: `${id}@people.example`, role: 'admin' })
  })

  it('counts the characters of a name as the database does', async () => {
    const name = '😀'.repeat(100)
    const { data } = await create({ name, email: `${newId()}@people.example`, password })
    expect(data).toMatchObject({ name })
  })

  it('refuses an address that is taken, in any letter case', async () => {
    const { email } = await newUser()
    for (const taken of [email, email.toUpperCase()]) {
      const { status, code } = await create({ name: 'Ada', email: taken, password })
      expect([status, code]).toEqual([409, 'EMAIL_TAKEN'])
    }
  })

  it.each([
    ['name', { name: 'x' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: '😀' }],
    ['name', { name: undefined }],
    ['email', { email: 'no address' }],
    ['email', { email: `${'x'.repeat(250)}@people.example` }],
    ['email', { email: 'ada@localhost' }],
    ['password', { password: 'short' }],
    ['password', { password: 'P@ssw0rd1!' }],
    ['password', { password: undefined }],
    ['role', { role: 'root' }],
    ['passwordHash', { passwordHash: 'x' }],
    ['id', { id: newId() }],
  ])('refuses what breaks the rule of %s: %j', async (field, broken) => {
    const { status, details } = await create({
      name: 'Ada Byron',
      email: 'a@people.example',
      password,
      ...broken,
    })
    expect(status).toBe(422)
    expect(details).toContainEqual({ field, message: expect.any(String) })
  })

  it('is for administrators', async () => {
    const { status } = await create({ name: 'Ada', email: 'a@people.example', password }, await newUser())
    expect(status).toBe(403)
  })
})

describe('reading an account', () => {
  it('shows a user itself, and an administrator anyone, in one call', async () => {
    const user = await newUser()
    for (const { token } of [user, admin]) {
      const { status, data, calls } = await api('GET', `${path}/${user.id}`, { token })
      expect([status, calls]).toEqual([200, 1])
      expect(data).toMatchObject({ id: user.id, name: user.name, email: user.email, role: 'user' })
    }
  })

  it('hides others from a user as if they did not exist', async () => {
    const { token } = await newUser()
    for (const id of [admin.id, newId()]) {
      const { status, error } = await api('GET', `${path}/${id}`, { token })
      expect([status, error?.message]).toEqual([404, 'User not found'])
    }
  })

  it('does not know a deleted account', async () => {
    const { id } = await newUser()
    await remove(id)
    expect((await api('GET', `${path}/${id}`, { token: admin.token })).status).toBe(404)
  })
})

describe('changing an account', () => {
  it('changes what is named and nothing else, in one call', async () => {
    const user = await newUser({ createdAt: '2026-01-01T00:00:00.000Z' })
    const { status, data, calls } = await change(user.id, { name: 'Ada Lovelace' }, user)
    expect([status, calls]).toEqual([200, 1])
    const changed = User.parse(data)
    expect(changed).toMatchObject({
      name: 'Ada Lovelace',
      email: user.email,
      createdAt: '2026-01-01T00:00:00.000Z',
    })
    expect(changed.updatedAt > changed.createdAt).toBe(true)
    expect(await login(user.email, password)).toBe(200)
  })

  it.each([[{}], [{ currentPassword: password }]])('refuses to change nothing: %j', async (body) => {
    expect((await change(admin.id, body)).status).toBe(422)
  })

  it('refuses an address that is taken', async () => {
    const [one, other] = [await newUser(), await newUser()]
    expect((await change(one.id, { email: other.email })).code).toBe('EMAIL_TAKEN')
  })

  it('is a 404 for others’, unknown and deleted accounts', async () => {
    const [user, gone] = [await newUser(), await newUser()]
    await remove(gone.id)
    expect((await change(admin.id, { name: 'Mallory' }, user)).status).toBe(404)
    expect((await change(newId(), { name: 'Nobody' })).status).toBe(404)
    expect((await change(gone.id, { name: 'Nobody' })).status).toBe(404)
  })

  it('refuses a user every role, its own too', async () => {
    const user = await newUser()
    for (const role of ['admin', 'user']) {
      const { status, code } = await change(user.id, { role }, user)
      expect([status, code]).toEqual([403, 'FORBIDDEN'])
    }
  })

  it('lets an administrator give and take roles; the taken one ends at once', async () => {
    const user = await newUser()
    expect((await change(user.id, { role: 'admin' })).data).toMatchObject({ role: 'admin' })
    expect((await change(user.id, { role: 'user' })).data).toMatchObject({ role: 'user' })
    const other = await newUser({ role: 'admin' })
    await change(other.id, { role: 'user' })
    expect((await api('GET', path, { token: other.token })).status).toBe(403)
  })
})

describe('one’s own address and password', () => {
  it('a new password needs the current one', async () => {
    const body = { password: newPassword }
    for (const user of [await newUser(), await newUser({ role: 'admin' })]) {
      const missing = await change(user.id, body, user)
      expect([missing.status, missing.details]).toEqual([
        422,
        [{ field: 'currentPassword', message: 'is required' }],
      ])
      const wrong = await change(user.id, { ...body, currentPassword: 'wrong' }, user)
      expect([wrong.status, wrong.details]).toEqual([
        422,
        [{ field: 'currentPassword', message: 'is wrong' }],
      ])
      expect(await login(user.email, password)).toBe(200)
    }
  })

  it('the password changes with it, in three calls', async () => {
    const user = await newUser()
    const body = { password: newPassword, currentPassword: password }
    const { status, calls } = await change(user.id, body, user)
    expect([status, calls]).toEqual([200, 3])
    expect(await login(user.email, password)).toBe(401)
    expect(await login(user.email, newPassword)).toBe(200)
  })

  it('one’s own address is not changed here, not even by an administrator', async () => {
    for (const user of [await newUser(), await newUser({ role: 'admin' })]) {
      const body = { email: `${newId()}@people.example`, currentPassword: password }
      const { status, details } = await change(user.id, body, user)
      expect([status, details]).toEqual([
        422,
        [{ field: 'email', message: 'is changed by POST /api/auth/change-email' }],
      ])
      expect(await login(user.email, password)).toBe(200)
    }
  })

  it('an administrator’s change of an address is its confirmation', async () => {
    const user = await newUser({ verified: false })
    const email = `${newId()}@people.example`
    const { data } = await change(user.id, { email })
    expect(data).toMatchObject({ email, verifiedAt: expect.any(String) })
  })

  it('the checks of a password are counted for the account, from wherever they come', async () => {
    const user = await newUser()
    const { request } = limitedApp({ password: { points: 2, duration: 3_600 } })
    const ask = async (method: string, path: string, body: object) => {
      const response = await request(path, {
        method,
        body: JSON.stringify(body),
        headers: {
          'Content-Type': 'application/json',
          'CF-Connecting-IP': newAddress(),
          Authorization: `Bearer ${user.token}`,
        },
      })
      return [response.status, /^"\w+"/.exec(response.headers.get('RateLimit') ?? '')?.[0]]
    }
    const wrong = { password: newPassword, currentPassword: 'wrong' }
    const own = `${path}/${user.id}`
    expect((await ask('PATCH', own, wrong))[0]).toBe(422)
    expect((await ask('POST', '/api/auth/change-password', wrong))[0]).toBe(422)
    const right = { password: newPassword, currentPassword: password }
    expect(await ask('PATCH', own, right)).toEqual([429, '"password"'])
    expect(await ask('POST', '/api/auth/change-password', right)).toEqual([429, '"password"'])
    const change = { email: `${newId()}@people.example`, currentPassword: password }
    expect(await ask('POST', '/api/auth/change-email', change)).toEqual([429, '"password"'])
    // What shows no password is not counted.
    expect((await ask('PATCH', own, { name: 'Ada Lovelace' }))[0]).toBe(200)
  })

  it('end all other sessions with a new password, and keep this one', async () => {
    const user = await newUser()
    await insert('sessions', [
      { id: newId(), user_id: user.id, created_at: '2026-01-01', expires_at: '2099-01-01' },
    ])
    const body = { password: newPassword, currentPassword: password }
    expect((await change(user.id, body, user)).status).toBe(200)
    expect(await isLoggedIn(user)).toBe(true)
    expect(await sql('select id from sessions where user_id = $1 and revoked_at is null', [user.id])).toEqual(
      [{ id: user.sessionId }],
    )
    expect(await login(user.email, password)).toBe(401)
    expect(await login(user.email, newPassword)).toBe(200)
  })

  it('are changed by an administrator for others without it, which ends all their sessions', async () => {
    const user = await newUser()
    expect((await change(user.id, { password: newPassword })).status).toBe(200)
    expect(await isLoggedIn(user)).toBe(false)
    expect(await login(user.email, newPassword)).toBe(200)
  })
})

describe('deleting an account', () => {
  it('ends it at once and leaves nothing personal, in one call and one that finds its sessions', async () => {
    const user = await newUser()
    const { status, text, calls } = await remove(user.id)
    expect([status, text, calls]).toEqual([204, '', 2])
    expect(await isLoggedIn(user)).toBe(false)
    expect(await login(user.email, password)).toBe(401)
    expect(
      await sql(
        'select name, email, password_hash, deleted_at is not null as deleted from users where id = $1',
        [user.id],
      ),
    ).toEqual([
      { name: 'Deleted account', email: `${user.id}@deleted.invalid`, password_hash: '', deleted: true },
    ])
  })

  it('frees its address', async () => {
    const { id, email } = await newUser()
    await remove(id)
    expect((await create({ name: 'Ada', email, password })).status).toBe(201)
  })

  it('is a 404 the second time and for an unknown one', async () => {
    const { id } = await newUser()
    await remove(id)
    expect((await remove(id)).status).toBe(404)
    expect((await remove(newId())).status).toBe(404)
  })

  it('is for administrators', async () => {
    const user = await newUser()
    expect((await remove(user.id, user)).status).toBe(403)
    expect(await isLoggedIn(user)).toBe(true)
  })
})

describe('the last administrator', () => {
  let last: TestUser

  beforeEach(async () => {
    await sql(`update users set role = 'user' where role = 'admin'`)
    last = await newUser({ role: 'admin' })
    return async () => {
      await sql(`update users set role = 'admin' where id = $1`, [admin.id])
    }
  })

  it('can neither be deleted nor demoted', async () => {
    for (const reply of [await remove(last.id, last), await change(last.id, { role: 'user' }, last)]) {
      expect([reply.status, reply.code]).toEqual([409, 'LAST_ADMIN'])
    }
    expect((await change(last.id, { role: 'admin', name: 'Still Admin' }, last)).status).toBe(200)
  })

  it('is not last while there is another, and deleted ones do not count', async () => {
    const other = await newUser({ role: 'admin' })
    const gone = await newUser({ role: 'admin' })
    expect((await remove(gone.id, last)).status).toBe(204)
    expect((await change(last.id, { role: 'user' }, last)).status).toBe(200)
    expect((await remove(other.id, other)).code).toBe('LAST_ADMIN')
  })
})

describe('the list of accounts', () => {
  const day = (n: number) => `2025-01-${String(n).padStart(2, '0')}T00:00:00.000Z`
  const of = (query: string) => `${path}?q=weaver&${query}`
  let weavers: TestUser[]

  beforeAll(async () => {
    weavers = []
    // Pairs of equal names and times, so that only the id tells them apart.
    for (let n = 0; n < 8; n++) {
      const role = n < 3 ? 'admin' : 'user'
      const name = `Weaver ${String.fromCharCode(65 + Math.floor(n / 2))}`
      weavers.push(
        await newUser({ name, role, email: `w${n}@people.example`, createdAt: day(1 + Math.floor(n / 2)) }),
      )
    }
    await insert('users', [
      {
        ...{
          id: newId(),
          name: 'Weaver Gone',
          email: 'gone@deleted.invalid',
          role: 'user',
          password_hash: '',
        },
        ...{ created_at: day(1), updated_at: day(1), deleted_at: day(2) },
      },
    ])
  })

  const ids = () => weavers.map(({ id }) => id)
  const pairs = () =>
    [0, 2, 4, 6].map((n) =>
      ids()
        .slice(n, n + 2)
        .toSorted(),
    )
  const ascending = () => pairs().flat()

  it('has those that are not deleted, without anything secret', async () => {
    const { rows, pagination } = await list(of('limit=100'), admin.token)
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids().toSorted())
    expect(pagination).toEqual({ page: 1, limit: 100, total: 8, pages: 1 })
    expect(Object.keys(rows[0] ?? {}).toSorted()).toEqual([
      'createdAt',
      'email',
      'id',
      'name',
      'plan',
      'role',
      'updatedAt',
      'verifiedAt',
    ])
  })

  it.each(['createdAt', 'name', 'email'])(
    'sorts by %s both ways, with the id as tie-break across pages',
    async (sort) => {
      expect(await idsOfPages(of(`sort=${sort}&limit=3`), 4, admin.token)).toEqual(ascending())
      expect(await idsOfPages(of(`sort=-${sort}&limit=3`), 4, admin.token)).toEqual(ascending().toReversed())
    },
  )

  it('is newest first by default', async () => {
    expect(await idsOf(of(''), admin.token)).toEqual(ascending().toReversed())
  })

  it('filters by role', async () => {
    expect((await idsOf(of('role=admin'), admin.token)).toSorted()).toEqual(ids().slice(0, 3).toSorted())
    expect(await idsOf(of('role=user'), admin.token)).toHaveLength(5)
  })

  it.each([
    ['wEaVeR a', 2],
    ['W3@people', 1],
    ['people.example', 8],
    ['%', 0],
    ['%%', 0],
    ['w_@people', 0],
    ['w\\', 0],
    ["'; drop table users; --", 0],
    ['Gone', 0],
  ])('finds %j in names and addresses, literally', async (q, count) => {
    const query = `${path}?limit=100&q=${encodeURIComponent(q)}`
    if (q.length < 2) return expect((await api('GET', query, { token: admin.token })).status).toBe(422)
    const found = await idsOf(query, admin.token)
    expect(found.filter((id) => ids().includes(id))).toHaveLength(count)
  })

  it('answers an empty page beyond the last', async () => {
    const { rows, pagination } = await list(of('page=9&limit=3'), admin.token)
    expect(rows).toEqual([])
    expect(pagination).toEqual({ page: 9, limit: 3, total: 8, pages: 3 })
  })

  it('is for administrators', async () => {
    const { token } = await newUser()
    expect((await api('GET', path, { token })).status).toBe(403)
  })
})
