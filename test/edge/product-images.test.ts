import { beforeAll, describe, expect, it } from 'vitest'
import { Product } from '../../src/products/schema.ts'
import { newId } from '../../src/shared/ids.ts'
import { api } from '../support/edge-api.ts'
import { attach, fetchFile, imagesOf, newFile } from '../support/edge-files.ts'
import { list } from '../support/edge-lists.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'

const path = '/api/v1/products'

let admin: TestUser
let colleague: TestUser
let user: TestUser
let category: { id: string; slug: string }

beforeAll(async () => {
  admin = await newUser({ role: 'admin' })
  colleague = await newUser({ role: 'admin' })
  user = await newUser()
  category = await newCategory()
})

const image = (ownerId = admin.id) => newFile({ ownerId, size: 10 })

const images = (count: number) => Promise.all(Array.from({ length: count }, () => image()))

const newOne = async () => (await newProduct({ categoryId: category.id })).id

const show = (id: string, imageIds: unknown, { token }: TestUser = admin) =>
  api('PATCH', `${path}/${id}`, { token, body: { imageIds } })

const variantsOf = (id: string) => ({
  thumb: { url: `/api/v1/files/${id}/thumb`, width: 150, height: 150 },
  medium: { url: `/api/v1/files/${id}/medium`, width: 800, height: 533 },
  full: { url: `/api/v1/files/${id}/full`, width: 2_400, height: 1_600 },
})

describe('the images of a product', () => {
  it('are shown in the order in which they were given, in detail, list and reply, in one call each', async () => {
    const own = await newCategory()
    const { id, slug } = await newProduct({ categoryId: own.id })
    const bare = await newProduct({ categoryId: own.id })
    const [a, b, c] = await images(3)
    const wanted = [c, a, b].map((one = '') => ({ id: one, variants: variantsOf(one) }))
    const reply = await show(id, [c, a, b])
    expect([reply.status, reply.calls]).toEqual([200, 1])
    expect(Product.parse(reply.data).images).toEqual(wanted)
    const detail = await api('GET', `${path}/${slug}`)
    expect(detail.calls).toBe(1)
    expect(Product.parse(detail.data).images).toEqual(wanted)
    const { rows } = await list(`${path}?category=${own.id}`)
    const shown = new Map(rows.map((row) => [row.id, row['images']]))
    expect(shown.get(id)).toEqual(wanted)
    expect(shown.get(bare.id)).toEqual([])
    for (const { url } of Object.values(variantsOf(a ?? ''))) expect((await fetchFile(url)).status).toBe(200)
  })

  it('are replaced as a whole: reordered, fewer, others, none', async () => {
    const [id, [a, b, c]] = [await newOne(), await images(3)]
    for (const imageIds of [[a, b], [b, a], [a], [c, a], []]) {
      expect((await show(id, imageIds)).status).toBe(200)
      expect(await imagesOf(id)).toEqual(imageIds)
    }
  })

  it('stay as they are when something else changes', async () => {
    const [id, [a]] = [await newOne(), await images(1)]
    await show(id, [a])
    const { data } = await api('PATCH', `${path}/${id}`, { token: admin.token, body: { price: '1.00' } })
    expect(Product.parse(data).images).toHaveLength(1)
  })

  it('come with a new product', async () => {
    const [a, b] = await images(2)
    const body = { name: 'Shown at once', price: '1.00', categoryId: category.id, imageIds: [b, a] }
    const { status, data, calls } = await api('POST', path, { token: admin.token, body })
    expect([status, calls]).toEqual([201, 1])
    expect(Product.parse(data).images.map(({ id }) => id)).toEqual([b, a])
    const bad = await api('POST', path, { token: admin.token, body: { ...body, imageIds: [a, newId()] } })
    expect([bad.status, bad.details]).toEqual([422, [{ field: 'imageIds.1', message: 'unknown image' }]])
    const { rows } = await list(`${path}?q=shown&category=${category.id}`)
    expect(rows).toHaveLength(1)
  })

  it('may be those of several products', async () => {
    const [one, two, [a]] = [await newOne(), await newOne(), await images(1)]
    expect((await show(one, [a])).status).toBe(200)
    expect((await show(two, [a])).status).toBe(200)
  })

  it('are twenty at most', async () => {
    const [id, many] = [await newOne(), await images(21)]
    expect((await show(id, many.slice(0, 20))).status).toBe(200)
    const { status, details } = await show(id, many)
    expect([status, details]).toMatchObject([422, [{ field: 'imageIds' }]])
    expect(await imagesOf(id)).toEqual(many.slice(0, 20))
  })

  it('are refused where they are not fit, each in its place, and nothing changes', async () => {
    const [id, [a, b]] = [await newOne(), await images(2)]
    await show(id, [a])
    const pdf = await newFile({ ownerId: admin.id, type: 'application/pdf' })
    const waiting = await newFile({ ownerId: admin.id, state: 'processing' })
    const infected = await newFile({ ownerId: admin.id, state: 'infected' })
    const { status, details } = await show(id, [b, newId(), pdf, a, waiting, infected, await image(user.id)])
    expect(status).toBe(422)
    expect(details).toEqual([
      { field: 'imageIds.1', message: 'unknown image' },
      { field: 'imageIds.2', message: 'is not an image' },
      { field: 'imageIds.4', message: 'is not ready' },
      { field: 'imageIds.5', message: 'is not ready' },
      { field: 'imageIds.6', message: 'unknown image' },
    ])
    expect(await imagesOf(id)).toEqual([a])
  })

  it('are refused when one is there twice, in whatever spelling', async () => {
    const [id, [a = '', b]] = [await newOne(), await images(2)]
    const { status, details } = await show(id, [a, b, a.toUpperCase(), a])
    expect([status, details]).toEqual([
      422,
      [
        { field: 'imageIds.2', message: 'is there twice' },
        { field: 'imageIds.3', message: 'is there twice' },
      ],
    ])
    expect((await show(id, [a.toUpperCase()])).status).toBe(200)
  })

  it.each([[['nonsense']], ['nonsense'], [[null]], [null]])(
    'are refused when they are %j',
    async (imageIds) => {
      expect((await show(await newOne(), imageIds)).status).toBe(422)
    },
  )

  it('of a colleague may be kept and moved, but not taken from elsewhere', async () => {
    const [id, theirs, kept, [mine]] = [
      await newOne(),
      await image(colleague.id),
      await image(colleague.id),
      await images(1),
    ]
    await attach(id, kept)
    expect((await show(id, [mine, kept])).status).toBe(200)
    expect((await show(id, [mine, kept, theirs])).details).toEqual([
      { field: 'imageIds.2', message: 'unknown image' },
    ])
    expect((await show(await newOne(), [kept])).status).toBe(422)
  })

  it('are for administrators, and a 404 of an unknown product comes first', async () => {
    const [id, [a]] = [await newOne(), await images(1)]
    expect((await show(id, [a], user)).status).toBe(403)
    expect((await show(newId(), [newId()])).status).toBe(404)
    expect(await imagesOf(id)).toEqual([])
  })

  it('are not shown once the file was lost, and the product stays whole', async () => {
    const [id, [a = '', b]] = [await newOne(), await images(2)]
    await show(id, [a, b])
    const { sql } = await import('../support/edge-sql.ts')
    await sql("update uploads set state = 'failed', reason = 'lost', variants = null where id = $1", [a])
    const { data } = await api('GET', `${path}/${id}`)
    expect(Product.parse(data).images.map((one) => one.id)).toEqual([b])
  })
})

describe('deleting a file that a product has', () => {
  const remove = (id: string, { token }: TestUser = admin) =>
    api('DELETE', `/api/v1/uploads/${id}`, { token })

  it('is refused until no product has it, archived or not', async () => {
    const [a = ''] = await images(1)
    const [live, archived] = [
      await newOne(),
      (await newProduct({ categoryId: category.id, archived: true })).id,
    ]
    await show(live, [a])
    await attach(archived, a)
    const refused = await remove(a)
    expect([refused.status, refused.code, refused.calls]).toEqual([409, 'FILE_IN_USE', 1])
    await show(live, [])
    expect((await remove(a)).code).toBe('FILE_IN_USE')
    expect((await fetchFile(`/api/v1/files/${a}/thumb`, { token: admin.token })).status).toBe(200)
    await show(archived, [])
    expect((await remove(a)).status).toBe(204)
    expect((await fetchFile(`/api/v1/files/${a}/thumb`, { token: admin.token })).status).toBe(404)
  })

  it('tells nobody else that it is there', async () => {
    const [id, [a = '']] = [await newOne(), await images(1)]
    await show(id, [a])
    const { status, code } = await remove(a, user)
    expect([status, code]).toEqual([404, 'NOT_FOUND'])
  })
})
