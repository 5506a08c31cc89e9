import type pg from 'pg'
import type { Api, Reply } from '../support/api.ts'
import { countBy, inParallel } from '../support/api.ts'

/** What the scenarios need of an open world. */
export type World = { api: Api; database: pg.Client; admin: string; customers: string[] }

const pick = <T>(items: T[], n: number): T => items[n % items.length] as T

/** A small generator with a seed (mulberry32), so that a failing run can be repeated. */
const createRandom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

export const addProduct = async (
  { api, admin, database }: World,
  name: string,
  price: string,
  stock: number,
) => {
  const { rows } = await database.query('select id from categories limit 1')
  const body = { name, price, stock, categoryId: rows[0].id }
  const reply = await api.call('POST', '/api/v1/products', { token: admin, body })
  if (reply.status !== 201) throw new Error(`no product ${name}: ${reply.status}`)
  return reply.body.data.id as string
}

const stockOf = async ({ database }: World, id: string): Promise<number> =>
  (await database.query('select stock from products where id = $1', [id])).rows[0].stock

/** (a) Everyone wants one piece of the same product at the same moment. */
export const rushForOneProduct = async (
  world: World,
  { orders, stock }: { orders: number; stock: number },
) => {
  const productId = await addProduct(world, `Rush ${Date.now()}`, '19.90', stock)
  const replies = await Promise.all(
    Array.from({ length: orders }, (_, n) =>
      world.api.call('POST', '/api/v1/orders', {
        token: pick(world.customers, n),
        body: { items: [{ productId, quantity: 1 }] },
      }),
    ),
  )
  return { statuses: countBy(replies, ({ status }) => status), remaining: await stockOf(world, productId) }
}

/** (b) Mixed orders in random line order, some of them cancelled twice at once while others are placed. */
export const mixedTrade = async (
  world: World,
  { orders, cancels, products }: { orders: number; cancels: number; products: number },
) => {
  const random = createRandom(42)
  const ids: string[] = []
  for (let n = 0; n < products; n++) {
    ids.push(
      await addProduct(world, `Trade ${n}`, `${n + 1}.${String((n * 37) % 100).padStart(2, '0')}`, 200),
    )
  }
  const shuffled = () =>
    ids
      .map((id) => ({ id, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ id }) => id)
  const wanted = Array.from({ length: orders }, () =>
    shuffled()
      .slice(0, 1 + Math.floor(random() * 5))
      .map((productId) => ({ productId, quantity: 1 + Math.floor(random() * 3) })),
  )
  let toCancel = cancels
  const cancelled: Reply[] = []
  const placed = await inParallel(80, wanted, async (items, n) => {
    const token = pick(world.customers, n)
    const reply = await world.api.call('POST', '/api/v1/orders', { token, body: { items } })
    if (reply.status === 201 && toCancel > 0 && n % 3 === 0) {
      toCancel -= 1
      const cancel = () => world.api.call('POST', `/api/v1/orders/${reply.body.data.id}/cancel`, { token })
      cancelled.push(...(await Promise.all([cancel(), cancel()])))
    }
    return reply
  })
  return {
    placed: countBy(placed, ({ status }) => status),
    cancelled: countBy(cancelled, ({ status }) => status),
  }
}

/** (c) Two administrators, the only ones, take each other's role away at the same moment. */
export const mutualDemotion = async (world: World, { rounds }: { rounds: number }) => {
  const { api, database } = world
  const { rows } = await database.query("select id, email from users where role = 'user' order by id limit 2")
  await database.query("update users set role = case when id = any($1) then 'admin' else 'user' end", [
    rows.map(({ id }) => id),
  ])
  const [a, b] = rows
  const password = 'Selvedge-Dev-1!'
  const tokens = [
    await api.login({ email: a.email, password }),
    await api.login({ email: b.email, password }),
  ]
  const left: number[] = []
  const statuses: number[] = []
  for (let round = 0; round < rounds; round++) {
    await database.query("update users set role = 'admin' where id = any($1)", [[a.id, b.id]])
    const replies = await Promise.all(
      [b, a].map(({ id }, n) =>
        api.call('PATCH', `/api/v1/users/${id}`, { token: pick(tokens, n), body: { role: 'user' } }),
      ),
    )
    statuses.push(...replies.map(({ status }) => status))
    const admins = await database.query(
      "select count(*)::int as n from users where role = 'admin' and deleted_at is null",
    )
    left.push(admins.rows[0].n)
  }
  return { left: countBy(left, (n) => n), statuses: countBy(statuses, (status) => status) }
}

/** A file of the administrator that is ready, as the pipeline leaves its row; nobody reads its bytes here. */
export const addImage = async ({ database }: Pick<World, 'database'>): Promise<string> => {
  const variant = (name: string) => ({
    key: `files/${name}`,
    type: 'image/webp',
    size: 1,
    etag: 'e',
    width: 1,
    height: 1,
  })
  const variants = { thumb: variant('thumb'), medium: variant('medium'), full: variant('full') }
  const { rows } = await database.query(
    `insert into uploads (id, owner_id, name, declared_type, media_type, reserved, size, sha256, way, state, etag, scan, variants, job_id)
    select gen_random_uuid(), id, 'a.png', 'image/png', 'image/png', 1, 1, repeat('ab', 32), 'direct', 'ready', 'e', 'clean', $1,
      gen_random_uuid()
    from users where email = 'admin@selvedge.test' returning id`,
    [JSON.stringify(variants)],
  )
  return rows[0].id
}

/** (d) A file is put on a product and deleted at the same moment. */
export const attachAndDelete = async (world: World, { files }: { files: number }) => {
  const { api, admin, database } = world
  const outcomes = await inParallel(8, Array.from({ length: files }), async () => {
    const id = await addImage(world)
    const product = await addProduct(world, `Shown ${id}`, '1.00', 1)
    const [shown, deleted] = await Promise.all([
      api.call('PATCH', `/api/v1/products/${product}`, { token: admin, body: { imageIds: [id] } }),
      api.call('DELETE', `/api/v1/uploads/${id}`, { token: admin }),
    ])
    return `${shown.status} ${deleted.status}`
  })
  const { rows } = await database.query(
    'select count(*)::int as n from product_images left join uploads on uploads.id = upload_id where uploads.id is null',
  )
  return { outcomes: countBy(outcomes, (outcome) => outcome), dangling: rows[0].n }
}

/** (e) A file is brought into a conversation and deleted at the same moment; eight conversations take turns. */
export const bringAndDelete = async (world: World, { files }: { files: number }) => {
  const { api, admin, database } = world
  const conversations: string[] = []
  for (let n = 0; n < 8; n++) {
    const id = await addProduct(world, `Talked about ${Date.now()} ${n}`, '1.00', 1)
    const body = { subject: { type: 'product', id } }
    conversations.push((await api.call('POST', '/api/v1/conversations', { token: admin, body })).body.data.id)
  }
  const outcomes = await inParallel(8, Array.from({ length: files }), async (_, n) => {
    const id = await addImage(world)
    const [brought, deleted] = await Promise.all([
      api.call('POST', `/api/v1/conversations/${pick(conversations, n)}/files`, {
        token: admin,
        body: { uploadIds: [id] },
      }),
      api.call('DELETE', `/api/v1/uploads/${id}`, { token: admin }),
    ])
    return `${brought.status} ${deleted.status}`
  })
  const { rows } = await database.query(
    'select count(*)::int as n from conversation_files left join uploads on uploads.id = upload_id where uploads.id is null',
  )
  return { outcomes: countBy(outcomes, (outcome) => outcome), dangling: rows[0].n }
}
