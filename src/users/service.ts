import type { RealtimeService } from '../inbox/service.ts'
import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { AppError, found, invalid, notFound } from '../shared/errors.ts'
import { paginate } from '../shared/page.ts'
import type { CurrentPassword } from './current-password.ts'
import { refuseBreached, type Breaches } from './refuse-breached.ts'
import type { UserRepository } from './repository.ts'
import type { ChangeUser, CreateUser, ListUsers, User } from './schema.ts'

type Deps = {
  users: UserRepository
  breaches: Breaches
  dispatcher: Pick<Dispatcher, 'draft' | 'send'>
  newId: () => string
  hashPassword: (password: string) => string
  currentPassword: CurrentPassword
  sockets: Pick<RealtimeService, 'sessionsEnded' | 'membershipsEnded'>
}

/** Foreign accounts are as absent as unknown ones to everyone but administrators. */
const checkMayTouch = (actor: Actor, id: string): void => {
  if (actor.role !== 'admin' && actor.id !== id) throw notFound('User')
}

export const createUserService = ({
  users,
  breaches,
  dispatcher,
  newId,
  hashPassword,
  currentPassword: current,
  sockets,
}: Deps) => ({
  async list(actor: Actor, query: ListUsers) {
    const { data, counted } = await users.list(actor, query)
    return { data, pagination: paginate(query, counted) }
  },

  async get(actor: Actor, id: string): Promise<User> {
    checkMayTouch(actor, id)
    return found('User', await users.find(actor, id))
  },

  async create(actor: Actor, { password, ...rest }: CreateUser, once?: IdempotentRequest): Promise<Reply> {
    await refuseBreached(breaches, password)
    return await users.create(actor, { id: newId(), ...rest, passwordHash: hashPassword(password) }, once)
  },

  async change(actor: Actor, id: string, change: ChangeUser): Promise<User> {
    checkMayTouch(actor, id)
    const { password, currentPassword, ...rest } = change
    if (rest.role !== undefined && actor.role !== 'admin') {
      throw new AppError('FORBIDDEN', 'Only an administrator may change a role')
    }
    if (rest.email !== undefined && actor.id === id) {
      throw invalid({ field: 'email', message: 'is changed by POST /api/auth/change-email' })
    }
    const needsPassword = actor.id === id && password !== undefined
    const verifiedHash = needsPassword ? await current.check(actor, currentPassword) : undefined
    if (password === undefined) {
      const user = found('User', await users.change(actor, id, rest, { verifiedHash }))
      if (rest.role === 'user') await sockets.membershipsEnded(id)
      return user
    }
    await refuseBreached(breaches, password)
    const payload = { template: 'passwordChanged', userId: id } as const
    const notice = dispatcher.draft({ type: 'mail.send', payload }, id)
    const values = { ...rest, passwordHash: hashPassword(password) }
    const changed = found('User', await users.change(actor, id, values, { verifiedHash, notice }))
    dispatcher.send([notice])
    await sockets.sessionsEnded(id)
    if (rest.role === 'user') await sockets.membershipsEnded(id)
    return changed
  },

  async remove(actor: Actor, id: string): Promise<void> {
    if (!(await users.remove(actor, id))) throw notFound('User')
    await sockets.sessionsEnded(id)
  },
})
