import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/shared/ids.ts'
import { FileLink } from '../../src/uploads/schema.files.ts'
import { createSignedLinks } from '../../src/uploads/signed-link.ts'
import { uploadStates } from '../../src/uploads/state.ts'
import { api, origin } from '../support/edge-api.ts'
import { takeLines } from '../support/edge-console.ts'
import { attach, fetchFile, newFile } from '../support/edge-files.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { sql } from '../support/edge-sql.ts'

const pathOf = (id: string, variant = 'full') => `/api/v1/files/${id}/${variant}`

let owner: TestUser
let other: TestUser
let admin: TestUser
let categoryId: string

beforeAll(async () => {
  owner = await newUser()
  other = await newUser()
  admin = await newUser({ role: 'admin' })
  categoryId = (await newCategory()).id
})

/** What nobody else may learn from: everything but what differs between any two requests. */
const traceOf = async (path: string, token: string | undefined, method = 'GET') => {
  const { status, headers, text } = await api(method, path, { token })
  const telling = Object.fromEntries(headers)
  for (const name of ['x-request-id', 'traceparent']) delete telling[name]
  for (const name of Object.keys(telling)) if (name.includes('ratelimit')) delete telling[name]
  telling['server-timing'] = (telling['server-timing'] ?? '').replace(/dur=[\d.]+/g, 'dur')
  return { status, telling, body: text.replace(/"requestId":"[^"]+"/, '') }
}

const shownBy = async (archived: boolean): Promise<string> => {
  const id = await newFile({ ownerId: owner.id })
  await attach((await newProduct({ categoryId, archived })).id, id)
  return id
}

describe('who may read a file', () => {
  const cases: [string, () => Promise<string>, Record<'anyone' | 'other' | 'owner' | 'admin', number>][] = [
    [
      'that nothing shows',
      () => newFile({ ownerId: owner.id }),
      { anyone: 404, other: 404, owner: 200, admin: 200 },
    ],
    ['that a product shows', () => shownBy(false), { anyone: 200, other: 200, owner: 200, admin: 200 }],
    [
      'that only an archived product has',
      () => shownBy(true),
      { anyone: 404, other: 404, owner: 200, admin: 200 },
    ],
    [
      'that is not there',
      () => Promise.resolve(newId()),
      { anyone: 404, other: 404, owner: 404, admin: 404 },
    ],
  ]

  it.each(cases)('%s', async (_, make, expected) => {
    const path = pathOf(await make())
    const statusFor = async (token?: string) => (await fetchFile(path, { token })).status
    expect({
      anyone: await statusFor(),
      other: await statusFor(other.token),
      owner: await statusFor(owner.token),
      admin: await statusFor(admin.token),
    }).toEqual(expected)
  })

  it('follows the products that show it: archived, brought back, and as long as one of several does', async () => {
    const id = await newFile({ ownerId: owner.id })
    const [one, two] = [await newProduct({ categoryId }), await newProduct({ categoryId })]
    await attach(one.id, id)
    await attach(two.id, id)
    const status = async () => (await fetchFile(pathOf(id))).status
    const archive = (productId: string) =>
      api('DELETE', `/api/v1/products/${productId}`, { token: admin.token })
    await archive(one.id)
    expect(await status()).toBe(200)
    await archive(two.id)
    expect(await status()).toBe(404)
    await api('PATCH', `/api/v1/products/${two.id}`, { token: admin.token, body: { archived: false } })
    expect(await status()).toBe(200)
    await api('PATCH', `/api/v1/products/${two.id}`, { token: admin.token, body: { imageIds: [] } })
    expect(await status()).toBe(404)
  })

  it('ends with the session, also for what everyone may read', async () => {
    const gone = await newUser()
    await sql('update sessions set revoked_at = now() where id = $1', [gone.sessionId])
    for (const id of [await newFile({ ownerId: gone.id }), await shownBy(false)]) {
      expect((await fetchFile(pathOf(id), { token: gone.token })).status).toBe(401)
    }
  })
})

describe('a file that is not for you', () => {
  it('is told from one that is not there by nothing: status, headers, body, calls', async () => {
    const others = [
      await newFile({ ownerId: owner.id }),
      await newFile({ ownerId: owner.id, type: 'application/pdf' }),
      await shownBy(true),
      ...(await Promise.all(uploadStates.map((state) => newFile({ ownerId: owner.id, state })))),
    ]
    for (const token of [undefined, other.token]) {
      for (const method of ['GET', 'HEAD']) {
        const absent = await traceOf(pathOf(newId()), token, method)
        expect(absent.status).toBe(404)
        expect(absent.telling).toMatchObject({ 'cache-control': 'no-store' })
        expect(absent.telling['server-timing']).toContain('desc="1"')
        for (const id of others) {
          expect(await traceOf(pathOf(id), token, method), id).toEqual(absent)
        }
      }
    }
  })

  it('nor is a variant that it does not have, for its owner neither', async () => {
    const image = await newFile({ ownerId: owner.id })
    const pdf = await newFile({ ownerId: owner.id, type: 'application/pdf' })
    const absent = await traceOf(pathOf(newId()), owner.token)
    expect(await traceOf(pathOf(image, 'original'), owner.token)).toEqual(absent)
    expect(await traceOf(pathOf(pdf, 'thumb'), owner.token)).toEqual(absent)
  })
})

describe('a file that is not ready', () => {
  it.each(uploadStates.filter((state) => state !== 'ready'))(
    'because it is %s says so to its owner and to administrators only',
    async (state) => {
      const id = await newFile({ ownerId: owner.id, state })
      for (const token of [owner.token, admin.token]) {
        const reply = await api('GET', pathOf(id), { token })
        expect([reply.status, reply.code, reply.details]).toEqual([404, 'FILE_NOT_READY', { status: state }])
        expect(reply.headers.get('Cache-Control')).toBe('no-store')
      }
      for (const token of [undefined, other.token]) {
        expect((await api('GET', pathOf(id), { token })).code).toBe('NOT_FOUND')
      }
    },
  )

  it('is not shown, although a product has it', async () => {
    const id = await shownBy(false)
    await sql("update uploads set state = 'failed', reason = 'lost', variants = null where id = $1", [id])
    const reply = await api('GET', pathOf(id))
    expect([reply.status, reply.code]).toEqual([404, 'NOT_FOUND'])
  })
})

const makeLink = (id: string, body: object, token: string | undefined = owner.token) =>
  api('POST', `/api/v1/uploads/${id}/links`, { token, body })

const linkTo = async (id: string, body: object = {}) => {
  const reply = await makeLink(id, { variant: 'full', ...body })
  expect([reply.status, reply.calls]).toEqual([200, 1])
  const { url, expiresAt } = FileLink.parse(reply.data)
  const { pathname, search } = new URL(url)
  return { url, expiresAt, path: `${pathname}${search}` }
}

describe('a signed link', () => {
  it('opens its variant for anyone, on any page, kept by no cache that others use', async () => {
    const id = await newFile({ ownerId: owner.id })
    const { url, path, expiresAt } = await linkTo(id)
    expect(url.startsWith(`${origin}${pathOf(id)}?`)).toBe(true)
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(3_590_000)
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(3_600_000)
    for (const token of [undefined, other.token]) {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await fetchFile(path, { token, method })
        expect(status).toBe(200)
        expect(headers.get('Cache-Control')).toBe('private, no-cache')
        expect(headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin')
        expect(headers.get('Server-Timing')).toContain('desc="1"')
      }
    }
    expect((await fetchFile(path, { headers: { Range: 'bytes=0-1' } })).status).toBe(206)
    expect((await fetchFile(`${path}&utm_source=mail`)).status).toBe(200)
  })

  it('opens nothing else', async () => {
    const [id, neighbour] = [await newFile({ ownerId: owner.id }), await newFile({ ownerId: owner.id })]
    const { path } = await linkTo(id)
    const search = path.slice(path.indexOf('?'))
    for (const elsewhere of [pathOf(id, 'thumb'), pathOf(neighbour), `/api/v1/uploads/${id}`]) {
      expect((await api('GET', `${elsewhere}${search}`)).status, elsewhere).toBeGreaterThanOrEqual(401)
    }
  })

  it('that was changed or is over is as good as none, also for who may have the file without it', async () => {
    const id = await shownBy(false)
    const { path } = await linkTo(id)
    const { searchParams } = new URL(path, origin)
    const [expires, signature] = ['expires', 'signature'].map((name) => searchParams.get(name) ?? '') as [
      string,
      string,
    ]
    const links = createSignedLinks(env.TOKEN_SECRET)
    const old = links.sign({ id, variant: 'full' }, new Date(Date.now() - 1_000))
    const queries = [
      { expires: String(Number(expires) + 1), signature },
      { expires, signature: signature.replace(/^./, (char) => (char === 'A' ? 'B' : 'A')) },
      { expires, signature: signature.slice(1) },
      { expires, signature: '' },
      { expires: '', signature },
      { expires },
      { signature },
      old,
    ]
    const absent = await traceOf(`${pathOf(newId())}?expires=1&signature=x`, undefined)
    expect(absent.status).toBe(404)
    for (const query of queries) {
      const tampered = `${pathOf(id)}?${new URLSearchParams(query as Record<string, string>).toString()}`
      expect(await traceOf(tampered, undefined), tampered).toEqual(absent)
      expect((await api('GET', tampered, { token: owner.token })).code).toBe('NOT_FOUND')
    }
    expect((await fetchFile(path)).status).toBe(200)
  })

  it('ends with its file', async () => {
    const id = await newFile({ ownerId: owner.id })
    const { path } = await linkTo(id)
    await sql('delete from uploads where id = $1', [id])
    expect((await fetchFile(path)).status).toBe(404)
  })

  it('lives as long as was asked, within bounds', async () => {
    const id = await newFile({ ownerId: owner.id })
    const { expiresAt } = await linkTo(id, { expiresIn: 60 })
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(60_000)
    for (const expiresIn of [59, 604_801, 1.5, '60', -1]) {
      const { status, details } = await makeLink(id, { variant: 'full', expiresIn })
      expect([status, details]).toMatchObject([422, [{ field: 'expiresIn' }]])
    }
  })

  it('is made for what is there', async () => {
    const waiting = await makeLink(await newFile({ ownerId: owner.id, state: 'scanning' }), {
      variant: 'full',
    })
    expect([waiting.status, waiting.code]).toEqual([404, 'FILE_NOT_READY'])
    const pdf = await newFile({ ownerId: owner.id, type: 'application/pdf' })
    expect((await makeLink(pdf, { variant: 'thumb' })).details).toMatchObject([{ field: 'variant' }])
    expect((await makeLink(pdf, { variant: 'original' })).status).toBe(200)
    expect((await makeLink(pdf, {})).status).toBe(422)
  })

  it('is made by owner and administrators, and by nobody else, although everyone may read the file', async () => {
    const id = await shownBy(false)
    const statusFor = async (token: string) => (await makeLink(id, { variant: 'full' }, token)).status
    expect(await statusFor(owner.token)).toBe(200)
    expect(await statusFor(admin.token)).toBe(200)
    expect(await statusFor(other.token)).toBe(404)
    expect((await api('POST', `/api/v1/uploads/${id}/links`, { body: { variant: 'full' } })).status).toBe(401)
    const refused = await traceOf(`/api/v1/uploads/${newId()}/links`, other.token, 'POST')
    expect(refused.status).toBe(422)
  })

  it('is a secret: no replay keeps it, and no line of the log has it', async () => {
    const id = await newFile({ ownerId: owner.id })
    const keyed = await api('POST', `/api/v1/uploads/${id}/links`, {
      ...{ token: owner.token, body: { variant: 'full' }, headers: { 'Idempotency-Key': 'a-key' } },
    })
    expect([keyed.status, keyed.code]).toEqual([400, 'IDEMPOTENCY_NOT_SUPPORTED'])
    takeLines()
    const { path } = await linkTo(id)
    await fetchFile(path)
    const lines = takeLines().join('\n')
    expect(lines).toContain(pathOf(id))
    expect(lines).not.toContain(new URL(path, origin).searchParams.get('signature'))
  })
})
