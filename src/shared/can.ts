import { roles, type Actor, type Role } from './actor.ts'
import type { Scope } from './scopes.ts'

/** How far an action goes: not at all, to what is one's own, to everything. */
export type Reach = 'none' | 'own' | 'any'

type Rule = Record<Role, Reach> & {
  /** Without a login; `none` when absent. */
  guest?: Reach
  /** What an API key needs beside. Without one no key ever may: what is about ways into an account, or of operators. */
  scope?: Scope
}

const admins = { user: 'none', admin: 'any' } as const
const owners = { user: 'own', admin: 'own' } as const
const ownersAndAdmins = { user: 'own', admin: 'any' } as const
const everyone = { guest: 'any', user: 'any', admin: 'any' } as const

/** Every action: who may, and on what. The only place that says so. */
const rules = {
  /** What an operation is that names none: of one's own account, by a person. */
  'self.manage': owners,
  /** The same of an operation for administrators. */
  'admin.manage': admins,

  'users.find': admins,
  'users.create': admins,
  'users.read': ownersAndAdmins,
  'users.change': ownersAndAdmins,
  'users.remove': admins,
  'roles.change': admins,
  'plans.change': admins,

  'apiKeys.manage': owners,

  'categories.read': everyone,
  'categories.write': { ...admins, scope: 'categories:write' },

  'products.read': { ...everyone, scope: 'products:read' },
  'products.readArchived': { ...admins, scope: 'products:read' },
  'products.write': { ...admins, scope: 'products:write' },

  'orders.place': { ...owners, scope: 'orders:write' },
  'orders.read': { ...ownersAndAdmins, scope: 'orders:read' },
  'orders.cancel': { ...ownersAndAdmins, scope: 'orders:write' },
  'orders.advance': { ...admins, scope: 'orders:write' },

  'uploads.make': owners,
  'uploads.read': ownersAndAdmins,
  'uploads.remove': ownersAndAdmins,
  /** A link that opens it for whoever has it. */
  'uploads.share': ownersAndAdmins,
  'uploads.sweep': admins,

  /** Whether this one may be read is a matter of the file: uploads/ asks it of the row. */
  'files.read': everyone,
  /** One that is shown to nobody. */
  'files.readPrivate': ownersAndAdmins,

  /** About an order: whose it is may. One's own: the conversations that one takes part in. */
  'conversations.open': ownersAndAdmins,
  'conversations.read': ownersAndAdmins,
  'conversations.write': ownersAndAdmins,
  'conversations.leave': ownersAndAdmins,
  'conversations.close': ownersAndAdmins,
  'conversations.addMember': admins,
  'conversations.removeMember': admins,
  /** Take part as one of the shop's. */
  'conversations.serve': admins,

  'reports.read': { ...admins, scope: 'reports:read' },
  'reports.request': { ...admins, scope: 'reports:write' },

  'jobs.read': admins,
  'jobs.operate': admins,
} as const satisfies Record<string, Rule>

export type Action = keyof typeof rules

/** The actions that an API key can be allowed. */
export type ScopedAction = {
  [A in Action]: (typeof rules)[A] extends { scope: Scope } ? A : never
}[Action]

const ruleOf = (action: Action): Rule => rules[action]

/** The scope that a key needs for it; undefined when no key may. */
export const scopeOf = (action: Action): Scope | undefined => ruleOf(action).scope

/** Whom to look for where somebody is wanted who may. */
export const rolesThatMay = (action: Action): Role[] => roles.filter((role) => rules[action][role] !== 'none')

/** Whether somebody who gets this role loses rights by it. */
export const isLesser = (role: Role | undefined): boolean => role === 'user'

/** The scopes that are of any use to a key of such an account. */
export const grantable = (role: Role): ReadonlySet<Scope> =>
  new Set(
    Object.values<Rule>(rules).flatMap((rule) =>
      rule.scope !== undefined && rule[role] !== 'none' ? [rule.scope] : [],
    ),
  )

/** What the actor, undefined for a guest, may do it on. */
export const reachOf = (actor: Actor | undefined, action: Action): Reach => {
  const rule = ruleOf(action)
  if (actor === undefined) return rule.guest ?? 'none'
  if (actor.kind === 'system') return 'any'
  if (actor.kind === 'apiKey' && !(rule.scope !== undefined && actor.scopes.includes(rule.scope)))
    return 'none'
  return rule[actor.role]
}

/**
 * May the actor do it: at all, or, with `resource`, to what belongs to that account? A no about a resource is for the
 * service to answer as if there were none.
 */
export const can = (
  actor: Actor | undefined,
  action: Action,
  resource?: { ownerId: string | null },
): boolean => {
  const reach = reachOf(actor, action)
  if (reach === 'own' && resource !== undefined) return resource.ownerId === actor?.id
  return reach !== 'none'
}
