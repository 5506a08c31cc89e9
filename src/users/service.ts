import type { RealtimeService } from '../inbox/service.ts'
import type { Dispatcher } from '../jobs/dispatcher.ts'
import type { Origin } from '../jobs/outbox.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import type { Actor } from '../shared/actor.ts'
import { can, isLesser } from '../shared/can.ts'
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
  /** Of the request, for the jobs that its changes leave. */
  origin: Origin
  hashPassword: (password: string) => string
  currentPassword: CurrentPassword
  sockets: Pick<RealtimeService, 'sessionsEnded' | 'membershipsEnded'>
}

/** Foreign accounts are as absent as unknown ones to everyone but administrators. */
const checkMay = (actor: Actor, action: 'users.read' | 'users.change', id: string): void => {
  if (!can(actor, action, { ownerId: id })) throw notFound('User')
}

export const createUserService = ({
  users,
  breaches,
  dispatcher,
  newId,
  origin,
  hashPassword,
  currentPassword: current,
  sockets,
}: Deps) => ({
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
    if (rest.email !== undefined && actor.id === id) {
      throw invalid({ field: 'email', message: 'is changed by POST /api/auth/change-email' })
    }
    const needsPassword = actor.id === id && password !== undefined
    const verifiedHash = needsPassword ? await current.check(actor, currentPassword) : undefined
    if (password === undefined) {
      const { user, jobs } = found('User', await users.change(actor, id, rest, { verifiedHash, origin }))
      dispatcher.send(jobs.map((job) => ({ id: job })))
      if (isLesser(rest.role)) await sockets.membershipsEnded(id)
      return user
    }
    await refuseBreached(breaches, password)
    const payload = { template: 'passwordChanged', userId: id } as const
    const notice = dispatcher.draft({ type: 'mail.send', payload }, id)
    const values = { ...rest, passwordHash: hashPassword(password) }
    const done = found('User', await users.change(actor, id, values, { verifiedHash, notice, origin }))
    dispatcher.send([notice, ...done.jobs.map((job) => ({ id: job }))])
    await sockets.sessionsEnded(id)
    if (isLesser(rest.role)) await sockets.membershipsEnded(id)
    return done.user
  },

  async remove(actor: Actor, id: string): Promise<void> {
    const { jobs } = found('User', await users.remove(actor, id, origin))
    dispatcher.send(jobs.map((job) => ({ id: job })))
    await sockets.sessionsEnded(id)
  },
})
