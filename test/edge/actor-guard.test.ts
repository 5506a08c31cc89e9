import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { matrix } from '../support/edge-matrix.ts'
import { operationsOfDocument, type DocumentedOperation } from '../support/edge-operations.ts'
import { newProduct, newCategory, newUser, stockOf, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

/** Every operation that demands a login, as a request that is valid for whoever is logged in. */
const guarded = async (): Promise<DocumentedOperation[]> =>
  (await operationsOfDocument()).filter(
    ({ security }) => security.length > 0 && security.every((scheme) => Object.keys(scheme).length > 0),
  )

/** Accounts exist under the actor's own id, so that a user may ask for it. */
const send = ({ method, path, sent }: DocumentedOperation, { id, token }: TestUser) =>
  api(method, path.replace('{id}', path.includes('users') ? id : newId()), { token, ...sent })

const endings: [string, string, (user: TestUser) => Promise<unknown>][] = [
  [
    'a deleted account',
    'UNAUTHENTICATED',
    ({ id }) => sql('update users set deleted_at = now() where id = $1', [id]),
  ],
  [
    'a revoked session',
    'UNAUTHENTICATED',
    ({ id }) => sql('update sessions set revoked_at = now() where user_id = $1', [id]),
  ],
  [
    'an expired session',
    'UNAUTHENTICATED',
    ({ id }) =>
      sql(
        `update sessions set created_at = now() - interval '2 days', expires_at = now() - interval '1 second' where user_id = $1`,
        [id],
      ),
  ],
  ['a purged session', 'UNAUTHENTICATED', ({ id }) => sql('delete from sessions where user_id = $1', [id])],
  [
    'a session of somebody else',
    'UNAUTHENTICATED',
    async ({ sessionId }) => {
      const { id } = await newUser()
      await sql('update sessions set user_id = $2 where id = $1', [sessionId, id])
    },
  ],
]

describe('the actor guard', () => {
  let operations: DocumentedOperation[]
  let live: TestUser

  beforeAll(async () => {
    operations = await guarded()
    live = await newUser({ role: 'admin' })
  })

  it('is tested on every operation that demands a login', () => {
    const demanding = Object.entries(matrix).flatMap(([id, { access }]) =>
      access === 'account' || access === 'admin' ? [id] : [],
    )
    expect(operations.map(({ id }) => id).toSorted()).toEqual(demanding.toSorted())
  })

  it('lets a live session through: what it refuses is for the reason it gives', async () => {
    for (const operation of operations) {
      if (operation.id === 'deleteUser' || matrix[operation.id]?.endless) continue
      // Whoever logs out has nothing to ask for afterwards.
      const user = operation.id.startsWith('logout') ? await newUser({ role: 'admin' }) : live
      const { status } = await send(operation, user)
      expect([401, 403], operation.id).not.toContain(status)
    }
  })

  it.each(endings)('stops %s at once, everywhere, in one call', async (_, code, end) => {
    for (const role of ['user', 'admin'] as const) {
      const user = await newUser({ role })
      await end(user)
      for (const operation of operations) {
        const reply = await send(operation, user)
        const onlyForAdmins = role === 'user' && reply.code === 'FORBIDDEN'
        if (!onlyForAdmins) expect([reply.code, reply.calls], operation.id).toEqual([code, 1])
      }
    }
  })

  it('stops a demoted administrator at once, everywhere', async () => {
    const user = await newUser({ role: 'admin' })
    await sql(`update users set role = 'user' where id = $1`, [user.id])
    for (const operation of operations) {
      const { code, calls } = await send(operation, user)
      expect([code, calls], operation.id).toEqual(['FORBIDDEN', 1])
    }
  })

  it('lets a promoted user on as the user that the token claims', async () => {
    const user = await newUser()
    await sql(`update users set role = 'admin' where id = $1`, [user.id])
    expect((await api('GET', '/api/auth/me', { token: user.token })).status).toBe(200)
    expect((await api('GET', '/api/v1/users', { token: user.token })).status).toBe(403)
  })

  it('undoes the whole batch', async () => {
    const { id: categoryId } = await newCategory()
    const product = await newProduct({ categoryId, stock: 5 })
    const user = await newUser()
    await sql('update sessions set revoked_at = now() where user_id = $1', [user.id])
    const body = { items: [{ productId: product.id, quantity: 1 }] }
    expect((await api('POST', '/api/v1/orders', { body, token: user.token })).status).toBe(401)
    expect(await stockOf(product.id)).toBe(5)
    expect(await sql('select from orders where user_id = $1', [user.id])).toEqual([])
  })

  it('stops an administrator where one sees more than others', async () => {
    const { id: categoryId } = await newCategory()
    const product = await newProduct({ categoryId, archived: true })
    const admin = await newUser({ role: 'admin' })
    const paths = ['/api/v1/products?archived=true', `/api/v1/products/${product.id}`]
    for (const path of paths) expect((await api('GET', path, { token: admin.token })).status).toBe(200)
    await sql(`update users set role = 'user' where id = $1`, [admin.id])
    for (const path of paths) expect((await api('GET', path, { token: admin.token })).status).toBe(403)
    await sql('update users set deleted_at = now() where id = $1', [admin.id])
    for (const path of paths) expect((await api('GET', path, { token: admin.token })).status).toBe(401)
  })
})
