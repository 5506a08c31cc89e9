import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Reply } from '../support/api.ts'
import { makeMutant } from '../support/mutant.ts'
import { skipOrFail, startPostgres } from '../support/postgres.ts'
import { behind as behindLock } from './hold.ts'
import { addImage, addProduct } from './scenarios.ts'
import { openWorld, type OpenWorld } from './world.ts'

const postgres = await startPostgres()

const password = 'Selvedge-Dev-1!'

if ('unavailable' in postgres) {
  skipOrFail('calls that wait for a lock, on a real PostgreSQL', postgres.unavailable)
} else {
  afterAll(() => postgres.stop())

  describe('a call that waits for a lock', () => {
    const copy = makeMutant([])
    let world: OpenWorld
    beforeAll(async () => {
      world = await openWorld(postgres.url, copy.folder)
    })
    afterAll(async () => {
      await world.close()
      copy.remove()
    })

    /** One call that stands behind the lock when the world changes. */
    const behind = (
      lock: [string, ...unknown[]],
      call: () => Promise<Reply>,
      meanwhile: (holder: pg.Client) => Promise<unknown>,
    ) => behindLock(world, { lock, meanwhile }, call)

    const account = async (role = 'user') => {
      const email = `${role}-${Math.random().toString(36).slice(2)}@people.example`
      const body = { name: 'Ada Byron', email, password, role }
      const made = await world.api.call('POST', '/api/v1/users', { token: world.admin, body })
      const id: string = made.body.data.id
      return { id, email, token: await world.api.login({ email, password }) }
    }

    const remove = (id: string) =>
      world.database.query('update users set deleted_at = now() where id = $1', [id])

    const lockProduct = 'select from products where id = $1 for update'

    it('places no order for an account that was deleted meanwhile', async () => {
      const [user, productId] = [await account(), await addProduct(world, 'Awaited', '1.00', 5)]
      const body = { items: [{ productId, quantity: 1 }] }
      const reply = await behind(
        [lockProduct, productId],
        () => world.api.call('POST', '/api/v1/orders', { token: user.token, body }),
        () => remove(user.id),
      )
      expect(reply.status).toBe(401)
    })

    it('changes no stock for an administrator who was demoted meanwhile', async () => {
      const [admin, productId] = [await account('admin'), await addProduct(world, 'Awaited stock', '1.00', 5)]
      const reply = await behind(
        [lockProduct, productId],
        () =>
          world.api.call('POST', `/api/v1/products/${productId}/stock`, {
            token: admin.token,
            body: { delta: 1, reason: 'found' },
          }),
        () => world.database.query("update users set role = 'user' where id = $1", [admin.id]),
      )
      expect(reply.status).toBe(403)
    })

    const placed = async () => {
      const productId = await addProduct(world, 'Awaited order', '1.00', 5)
      const body = { items: [{ productId, quantity: 1 }] }
      const reply = await world.api.call('POST', '/api/v1/orders', { token: world.customers[0] ?? '', body })
      return reply.body.data.id as string
    }

    const lockOrder = 'select from orders where id = $1 for update'

    it('cancels no order that was shipped meanwhile', async () => {
      const id = await placed()
      const reply = await behind(
        [lockOrder, id],
        () => world.api.call('POST', `/api/v1/orders/${id}/cancel`, { token: world.customers[0] ?? '' }),
        (holder) => holder.query("update orders set status = 'shipped' where id = $1", [id]),
      )
      expect([reply.status, reply.body.error?.code]).toEqual([409, 'INVALID_TRANSITION'])
    })

    it('moves no order along for an administrator who was demoted meanwhile', async () => {
      const [admin, id] = [await account('admin'), await placed()]
      const reply = await behind(
        [lockOrder, id],
        () =>
          world.api.call('POST', `/api/v1/orders/${id}/status`, {
            token: admin.token,
            body: { status: 'paid' },
          }),
        () => world.database.query("update users set role = 'user' where id = $1", [admin.id]),
      )
      expect(reply.status).toBe(403)
    })

    it('demotes nobody for an administrator who was demoted meanwhile', async () => {
      const [admin, other] = [await account('admin'), await account('admin')]
      const reply = await behind(
        ['select from users where id = $1 for update', admin.id],
        () =>
          world.api.call('PATCH', `/api/v1/users/${other.id}`, {
            token: admin.token,
            body: { role: 'user' },
          }),
        (holder) => holder.query("update users set role = 'user' where id = $1", [admin.id]),
      )
      expect(reply.status).toBe(403)
    })

    it('replaces no password that was changed meanwhile', async () => {
      const user = await account()
      const body = { password: 'Weft-and-Warp-8', currentPassword: password }
      const reply = await behind(
        ['select from users where id = $1 for update', user.id],
        () => world.api.call('PATCH', `/api/v1/users/${user.id}`, { token: user.token, body }),
        (holder) => holder.query("update users set password_hash = 'new' where id = $1", [user.id]),
      )
      expect(reply.status).toBe(422)
      const { rows } = await world.database.query('select password_hash from users where id = $1', [user.id])
      expect(rows[0].password_hash).toBe('new')
    })

    it('opens no session for a password that was changed meanwhile', async () => {
      const user = await account()
      const reply = await behind(
        ['select from users where id = $1 for update', user.id],
        () => world.api.call('POST', '/api/auth/login', { body: { email: user.email, password } }),
        (holder) => holder.query("update users set password_hash = 'new' where id = $1", [user.id]),
      )
      expect(reply.status).toBe(401)
    })

    it('puts no product into a category that was archived meanwhile', async () => {
      const category = await world.api.call('POST', '/api/v1/categories', {
        token: world.admin,
        body: { name: 'Awaited category' },
      })
      const categoryId: string = category.body.data.id
      const reply = await behind(
        ['update categories set archived_at = now() where id = $1', categoryId],
        () =>
          world.api.call('POST', '/api/v1/products', {
            token: world.admin,
            body: { name: 'Late', price: '1.00', categoryId },
          }),
        () => Promise.resolve(),
      )
      expect(reply.body.error?.details).toMatchObject([{ field: 'categoryId' }])
    })

    it('shows no file that was deleted meanwhile', async () => {
      const [imageId, productId] = [
        await addImage(world),
        await addProduct(world, 'Awaited image', '1.00', 5),
      ]
      const reply = await behind(
        ['delete from uploads where id = $1', imageId],
        () =>
          world.api.call('PATCH', `/api/v1/products/${productId}`, {
            token: world.admin,
            body: { imageIds: [imageId] },
          }),
        () => Promise.resolve(),
      )
      expect(reply.body.error?.details).toEqual([{ field: 'imageIds.0', message: 'unknown image' }])
    })

    it('deletes no file that a product got meanwhile', async () => {
      const [imageId, productId] = [await addImage(world), await addProduct(world, 'Awaited file', '1.00', 5)]
      const reply = await behind(
        [
          'insert into product_images (product_id, position, upload_id) values ($1, 0, $2)',
          productId,
          imageId,
        ],
        () => world.api.call('DELETE', `/api/v1/uploads/${imageId}`, { token: world.admin }),
        () => Promise.resolve(),
      )
      expect([reply.status, reply.body.error?.code]).toEqual([409, 'FILE_IN_USE'])
      const { rows } = await world.database.query('select from uploads where id = $1', [imageId])
      expect(rows).toHaveLength(1)
    })

    it('shows no file for an administrator who was demoted meanwhile', async () => {
      const [admin, productId] = [await account('admin'), await addProduct(world, 'Awaited admin', '1.00', 5)]
      const reply = await behind(
        [lockProduct, productId],
        () =>
          world.api.call('PATCH', `/api/v1/products/${productId}`, {
            token: admin.token,
            body: { imageIds: [] },
          }),
        () => world.database.query("update users set role = 'user' where id = $1", [admin.id]),
      )
      expect(reply.status).toBe(403)
    })
  })
}
