import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Origin } from '../jobs/outbox.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { can } from '../shared/can.ts'
import { AppError, found, invalid, notFound } from '../shared/errors.ts'
import { paginate } from '../shared/page.ts'
import { refuseBreached, type Breaches } from './refuse-breached.ts'
import type { UserRepository } from './repository.ts'
import type { ChangeUser, CreateUser, ListUsers, User } from './schema.ts'

type Deps = {
  users: UserRepository
  breaches: Breaches
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  origin: Origin
  newId: () => string
  hashPassword: (password: string) => string
  verifyPassword: (password: string, stored: string | undefined) => boolean
}

/** Foreign accounts are as absent as unknown ones to everyone but administrators. */
const checkMay = (actor: Actor, action: 'users.read' | 'users.change', id: string): void => {
  if (!can(actor, action, { ownerId: id })) throw notFound('User')
}

export const createUserService = ({
  users,
  breaches,
  dispatcher,
  origin,
  newId,
  hashPassword,
  verifyPassword,
}: Deps) => {
  /** A stolen access token must not be enough to take the account over. */
  const checkCurrentPassword = async (actor: Actor, currentPassword: string | undefined): Promise<string> => {
    if (currentPassword === undefined) throw invalid({ field: 'currentPassword', message: 'is required' })
    const hash = await users.passwordHash(actor)
    if (hash !== undefined && verifyPassword(currentPassword, hash)) return hash
    // No 401: the token is good, and a client must not take this for its end.
    throw invalid({ field: 'currentPassword', message: 'is wrong' })
  }

  const applied = async (change: ReturnType<UserRepository['change']>): Promise<User> => {
    const { user, jobs } = found('User', await change)
    dispatcher.send(jobs.map((id) => ({ id })))
    return user
  }

  return {
    async list(actor: Actor, query: ListUsers) {
      const { data, counted } = await users.list(actor, query)
      return { data, pagination: paginate(query, counted) }
    },

    async get(actor: Actor, id: string): Promise<User> {
      checkMay(actor, 'users.read', id)
      return found('User', await users.find(actor, id))
    },

    async create(actor: Actor, { password, ...rest }: CreateUser, once?: IdempotentRequest): Promise<Reply> {
      await refuseBreached(breaches, password)
      return await users.create(actor, { id: newId(), ...rest, passwordHash: hashPassword(password) }, once)
    },

    async change(actor: Actor, id: string, change: ChangeUser): Promise<User> {
      checkMay(actor, 'users.change', id)
      const { password, currentPassword, ...rest } = change
      if (rest.role !== undefined && !can(actor, 'roles.change')) {
        throw new AppError('FORBIDDEN', 'Only an administrator may change a role')
      }
      if (rest.plan !== undefined && !can(actor, 'plans.change')) {
        throw new AppError('FORBIDDEN', 'Only an administrator may change a plan')
      }
      const needsPassword = actor.id === id && (password !== undefined || rest.email !== undefined)
      const verifiedHash = needsPassword ? await checkCurrentPassword(actor, currentPassword) : undefined
      if (password === undefined)
        return await applied(users.change(actor, id, rest, { verifiedHash, origin }))
      await refuseBreached(breaches, password)
      const payload = { template: 'passwordChanged', userId: id } as const
      const notice = dispatcher.draft({ type: 'mail.send', payload }, id)
      const values = { ...rest, passwordHash: hashPassword(password) }
      const changed = await applied(users.change(actor, id, values, { verifiedHash, notice, origin }))
      dispatcher.send([notice])
      return changed
    },

    async remove(actor: Actor, id: string): Promise<void> {
      const { jobs } = found('User', await users.remove(actor, id, origin))
      dispatcher.send(jobs.map((job) => ({ id: job })))
    },
  }
}
