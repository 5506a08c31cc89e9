import { env } from 'cloudflare:workers'
import { importJWK, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../../src/config.ts'
import { newId } from '../../src/shared/ids.ts'
import type { Scope } from '../../src/shared/scopes.ts'
import { api } from '../support/edge-api.ts'
import { openSupport } from '../support/edge-chat.ts'
import { newKey } from '../support/edge-keys.ts'
import { howToAdd, matrix, type Row } from '../support/edge-matrix.ts'
import { newCategory, newProduct, newUser, type TestUser } from '../support/edge-rows.ts'
import { operationsOfDocument, type DocumentedOperation } from '../support/edge-operations.ts'
import { insert, sql } from '../support/edge-sql.ts'

const expiredToken = async ({ id, sessionId, role }: TestUser): Promise<string> => {
  const { issuer, audience, keys } = readConfig(env).tokens
  const [key] = keys
  if (key === undefined) throw new Error('No signing key')
  const now = Math.floor(Date.now() / 1_000)
  return await new SignJWT({ role, sid: sessionId })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(id)
    .setIssuedAt(now - 1_000)
    .setExpirationTime(now - 100)
    .setJti(newId())
    .sign(await importJWK(key, 'ES256'))
}

let productId: string

const apiKeys = new Map<string, string>()

/** Something of the user's, by what a row's `of` names. */
const makers: Record<NonNullable<Row['of']>, (user: TestUser) => Promise<string>> = {
  async order({ token }) {
    const body = { items: [{ productId, quantity: 1 }] }
    return z.object({ id: z.string() }).parse((await api('POST', '/api/v1/orders', { token, body })).data).id
  },
  user: ({ id }) => Promise.resolve(id),
  async session({ id }) {
    const session = newId()
    await sql(`insert into sessions (id, user_id, expires_at) values ($1, $2, now() + interval '1 day')`, [
      session,
      id,
    ])
    return session
  },
  conversation: openSupport,
  async upload({ id: owner_id }) {
    const id = newId()
    const now = new Date()
    const times = { created_at: now, updated_at: now, expires_at: new Date(now.getTime() + 3_600_000) }
    await insert('uploads', [
      {
        id,
        owner_id,
        name: 'a.png',
        declared_type: 'image/png',
        reserved: 1,
        way: 'direct',
        state: 'receiving',
        ...times,
      },
    ])
    return id
  },
  /** One an account: there is a quota. */
  async apiKey({ id, token }) {
    const key = apiKeys.get(id) ?? (await newKey(token, ['orders:read'])).id
    apiKeys.set(id, key)
    return key
  },
}

type World = Record<'ada' | 'bob' | 'admin' | 'demoted' | 'deleted', TestUser> & {
  expired: string
  revokedKey: string
}

let world: World
let operations: DocumentedOperation[]
const keys = new Map<string, string>()

/** A key of the user with this scope; one for all tests. */
const keyOf = async ({ id, token }: TestUser, scope: Scope): Promise<string> => {
  const name = `${id} ${scope}`
  const key = keys.get(name) ?? (await newKey(token, [scope])).key
  keys.set(name, key)
  return key
}

beforeAll(async () => {
  const { id: categoryId } = await newCategory()
  productId = (await newProduct({ categoryId, stock: 1_000 })).id
  const [ada, bob, admin, demoted, deleted] = [
    await newUser(),
    await newUser(),
    await newUser({ role: 'admin' }),
    await newUser({ role: 'admin' }),
    await newUser(),
  ]
  await sql(`update users set role = 'user' where id = $1`, [demoted.id])
  await sql('update users set deleted_at = now() where id = $1', [deleted.id])
  const { id: keyId, key: revokedKey } = await newKey(bob.token, ['orders:read'])
  await api('DELETE', `/api/v1/api-keys/${keyId}`, { token: bob.token })
  world = { ada, bob, admin, demoted, deleted, expired: await expiredToken(ada), revokedKey }
  operations = await operationsOfDocument()
})

const rowOf = ({ id }: DocumentedOperation): Row => {
  const row = matrix[id]
  if (row === undefined) throw new Error(`${id} has no row. ${howToAdd}`)
  return row
}

type Target = 'own' | 'foreign' | 'unknown' | 'malformed'

/** Nothing of ours is refused for who asks, nor is it absent. */
const passes = 'passes'

describe('the matrix of who may do what', () => {
  it('has a row for every operation, and no row without one', () => {
    const known = operations.map(({ id }) => id)
    expect(
      known.filter((id) => !(id in matrix)),
      `operations without a row. ${howToAdd}`,
    ).toEqual([])
    expect(
      Object.keys(matrix).filter((id) => !known.includes(id)),
      'rows without an operation',
    ).toEqual([])
  })

  it('agrees with what the document demands', () => {
    for (const found of operations) {
      const { access, scope } = rowOf(found)
      const { security, id: operationId } = found
      const says = (scheme: string) => security.find((one) => scheme in one)?.[scheme]
      expect(security.length > 0, operationId).toBe(access !== 'everyone')
      expect(
        security.some((one) => Object.keys(one).length === 0),
        operationId,
      ).toBe(access === 'guest')
      expect(says('apiKey'), operationId).toEqual(scope === undefined ? undefined : [scope])
    }
  })

  it('holds in every cell', { timeout: 120_000 }, async () => {
    const wrong: string[] = []
    for (const found of operations) {
      const row = rowOf(found)
      const { method, path, sent } = found
      if (row.access === 'everyone') continue
      const isPatternOfId = path.includes('{id}')
      const ask = async (token: string | undefined, id: string) => {
        const { status, code, error } = await api(method, path.replace('{id}', id), { token, ...sent })
        return {
          cell: [401, 403, 404].includes(status) ? `${status} ${code}` : passes,
          message: error?.message,
        }
      }
      const expectCell = async (
        who: string,
        token: string | undefined,
        target: Target,
        id: string,
        expected: string,
      ) => {
        const { cell, message } = await ask(token, id)
        if (cell !== expected) wrong.push(`${found.id}: ${who}, ${target}: ${cell}, not ${expected}`)
        return message
      }
      const ada = row.ends ? await newUser() : world.ada
      const { bob, admin, demoted, deleted, expired, revokedKey } = world
      const make = async () => (row.of === undefined ? newId() : await makers[row.of](ada))
      const isAdmin = row.access === 'admin'

      // Who is nobody learns nothing about any target.
      const absent = '404 NOT_FOUND'
      const nobody =
        row.access === 'account' || isAdmin ? '401 UNAUTHENTICATED' : row.absent ? absent : passes
      const targets: [Target, string][] = [['foreign', await make()]]
      if (isPatternOfId) targets.push(['unknown', newId()], ['malformed', 'not-an-id'])
      for (const [target, id] of targets) {
        await expectCell('none', undefined, target, id, nobody)
        await expectCell('garbage', 'garbage', target, id, '401 UNAUTHENTICATED')
        await expectCell('expired', expired, target, id, '401 UNAUTHENTICATED')
        await expectCell('revoked key', revokedKey, target, id, '401 UNAUTHENTICATED')
        if (target === 'malformed') continue
        // A user who asks for another account is refused before the database is asked.
        const silent = row.of === 'user'
        const gone = isAdmin ? '403 FORBIDDEN' : silent ? '404 NOT_FOUND' : '401 UNAUTHENTICATED'
        await expectCell('deleted', deleted.token, target, id, gone)
        await expectCell('demoted', demoted.token, target, id, '403 FORBIDDEN')
      }

      // What is foreign is as absent as what is unknown, to the letter.
      const mayTry = isAdmin
        ? '403 FORBIDDEN'
        : row.of === undefined && !isPatternOfId
          ? undefined
          : '404 NOT_FOUND'
      if (mayTry !== undefined) {
        const told = await expectCell('user B', bob.token, 'foreign', await make(), mayTry)
        const unknown = await expectCell('user B', bob.token, 'unknown', newId(), mayTry)
        if (told !== unknown) wrong.push(`${found.id}: foreign and unknown read differently`)
        if (!isAdmin) await expectCell('user B', bob.token, 'malformed', 'not-an-id', '404 NOT_FOUND')
      }
      if (isPatternOfId) {
        await expectCell('admin', admin.token, 'unknown', newId(), '404 NOT_FOUND')
        await expectCell('admin', admin.token, 'malformed', 'not-an-id', '404 NOT_FOUND')
      }
      if (row.of !== undefined) {
        await expectCell(
          'admin',
          admin.token,
          'foreign',
          await make(),
          row.adminMustJoin ? '403 FORBIDDEN' : row.adminSeesAll ? passes : absent,
        )
      }

      // Keys.
      const { scope } = row
      const missing: Scope = scope === 'orders:read' ? 'products:read' : 'orders:read'
      const without = scope === undefined ? '403 FORBIDDEN' : '403 INSUFFICIENT_SCOPE'
      await expectCell('key without scope', await keyOf(world.ada, missing), 'own', await make(), without)
      const owner = isAdmin ? admin : ada
      const mine = row.absent || (isAdmin && isPatternOfId) ? absent : passes
      if (scope !== undefined) {
        await expectCell('key with scope', await keyOf(owner, scope), 'own', await make(), mine)
        if (row.of !== undefined) {
          await expectCell(
            'key with scope',
            await keyOf(bob, scope),
            'foreign',
            await make(),
            '404 NOT_FOUND',
          )
        }
      }

      if (row.endless) continue
      // Last, for it may end what it is about.
      await expectCell(isAdmin ? 'admin' : 'user A', owner.token, 'own', await make(), mine)
    }
    expect(wrong).toEqual([])
  })
})
