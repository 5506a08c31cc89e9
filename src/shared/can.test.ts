import { describe, expect, it } from 'vitest'
import type { Actor, KeyActor, UserActor } from './actor.ts'
import { can, isLesser, reachOf, rolesThatMay, scopeOf } from './can.ts'
import type { Scope } from './scopes.ts'

const user: UserActor = { kind: 'user', id: 'a', role: 'user', sessionId: 's' }
const admin: UserActor = { ...user, id: 'b', role: 'admin' }
const system: Actor = { kind: 'system', id: 'a', role: 'admin' }

const key = (scopes: Scope[], role: KeyActor['role'] = 'user'): KeyActor => ({
  ...{ kind: 'apiKey', id: 'a', keyId: 'k', secretHash: '' },
  role,
  scopes,
})

const [own, foreign] = [{ ownerId: 'a' }, { ownerId: 'c' }]

describe('can', () => {
  it('lets a user do to their own what they may not do to others’', () => {
    expect([can(user, 'orders.cancel', own), can(user, 'orders.cancel', foreign)]).toEqual([true, false])
    expect(can(user, 'orders.cancel')).toBe(true)
  })

  it('lets an administrator act on everything, except as an owner', () => {
    expect(can(admin, 'orders.read', foreign)).toBe(true)
    expect(can(admin, 'apiKeys.manage', foreign)).toBe(false)
    expect(can(user, 'users.find')).toBe(false)
  })

  it('takes what belongs to nobody for foreign', () => {
    expect(can(user, 'orders.read', { ownerId: null })).toBe(false)
    expect(can(undefined, 'orders.read', { ownerId: null })).toBe(false)
  })

  it('lets a guest only read what is public', () => {
    expect(can(undefined, 'products.read')).toBe(true)
    expect(can(undefined, 'products.readArchived')).toBe(false)
    expect(can(undefined, 'orders.place')).toBe(false)
  })

  it('asks a key for its scope, and then for what its account may', () => {
    expect(can(key(['orders:read']), 'orders.read', own)).toBe(true)
    expect(can(key(['orders:read']), 'orders.read', foreign)).toBe(false)
    expect(can(key(['orders:read']), 'orders.place')).toBe(false)
    expect(can(key(['orders:write']), 'orders.read')).toBe(false)
    expect(can(key(['products:write']), 'products.write')).toBe(false)
    expect(can(key(['products:write'], 'admin'), 'products.write')).toBe(true)
    expect(can(key(['orders:read']), 'products.read')).toBe(false)
  })

  it('lets no key do what has no scope', () => {
    const actions = [
      ...(['self.manage', 'admin.manage', 'apiKeys.manage', 'users.read', 'jobs.operate'] as const),
      ...(['uploads.read', 'files.readPrivate', 'conversations.read'] as const),
    ]
    for (const action of actions) {
      expect(scopeOf(action)).toBeUndefined()
      expect(reachOf(key(['orders:read', 'orders:write'], 'admin'), action)).toBe('none')
    }
  })

  it('tells which roles may at all, and which loses rights', () => {
    expect(rolesThatMay('conversations.serve')).toEqual(['admin'])
    expect(rolesThatMay('conversations.read')).toEqual(['user', 'admin'])
    expect([isLesser('user'), isLesser('admin'), isLesser(undefined)]).toEqual([true, false, false])
  })

  it('lets our own work do everything', () => {
    expect(can(system, 'orders.cancel', foreign)).toBe(true)
  })
})
