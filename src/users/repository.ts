import { and, eq, ilike, isNull, or, sql, type SQL } from 'drizzle-orm'
import { endKeysOf, renewKeysOf } from '../api-keys/owner-statements.ts'
import { recordAudit } from '../audit/record.ts'
import { actorGuard } from '../auth/actor-guard.ts'
import { revokeSessions } from '../auth/revoke-sessions.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseWhen } from '../db/raise.ts'
import { orderBy } from '../db/sort.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'
import { beginOnce, finish, replyOf } from '../idempotency/statements.ts'
import { enqueue, type Draft, type Origin } from '../jobs/outbox.ts'
import { forgetRecipient } from '../mail/forget-recipient.ts'
import type { Actor, Role } from '../shared/actor.ts'
import { isLesser } from '../shared/can.ts'
import type { Plan } from '../shared/plans.ts'
import { offsetOf } from '../shared/page.ts'
import { userJson } from './json.ts'
import type { ListUsers, User } from './schema.ts'
import { forgetMailedTokens, voidMailedTokens } from './mailed-token-statements.ts'
import { stillHasPassword } from './password-statements.ts'
import { users } from './table.ts'

const sortable = { createdAt: users.createdAt, name: users.name, email: users.email }

const live = isNull(users.deletedAt)

const containing = (q: string): string => `%${q.replace(/[\\%_]/g, String.raw`\$&`)}%`

const matching = ({ q, role }: ListUsers): SQL | undefined =>
  and(
    live,
    role === undefined ? undefined : eq(users.role, role),
    q === undefined ? undefined : or(ilike(users.name, containing(q)), ilike(users.email, containing(q))),
  )

type Changes = {
  name?: string | undefined
  email?: string | undefined
  passwordHash?: string | undefined
  role?: Role | undefined
  plan?: Plan | undefined
}

type Checked = { verifiedHash?: string | undefined; notice?: Draft | undefined; origin: Origin }

/** Ids of the jobs that an account's change has left. */
type Left = { jobs: string[] }

const jobsOf = (result: { rows: Record<string, unknown>[] } | undefined): string[] =>
  result?.rows.map(({ id }) => String(id)) ?? []

const planChange = (actor: Actor, id: string, plan: Plan, requestId: string): SQL =>
  recordAudit({
    actor,
    requestId,
    action: 'plan.changed',
    changes: sql`select id::text, jsonb_build_object('plan', plan), jsonb_build_object('plan', ${plan}::text)
      from users where id = ${id} and plan <> ${plan} and deleted_at is null`,
  })

/** Locks all administrators in one order, so that two who remove each other come one after the other. */
// oxlint-disable-next-line selvedge/roles -- the role itself is what is looked after here
const lockAdmins = sql`select 1 from users where role = 'admin' and deleted_at is null order by id for no key update`

const lockUser = (id: string): SQL => sql`select 1 from users where id = ${id} for no key update`

const notLastAdmin = (id: string): SQL =>
  raiseWhen(
    'LAST_ADMIN',
    // oxlint-disable-next-line selvedge/roles -- the same
    sql`exists (select from users where id = ${id} and role = 'admin' and deleted_at is null)
      and not exists (select from users where id <> ${id} and role = 'admin' and deleted_at is null)`,
  )

/** An administrator vouches for the addresses that it gives. */
const verifiedNow = { verifiedAt: sql`now()` }

type NewUser = Pick<typeof users.$inferInsert, 'id' | 'name' | 'email' | 'passwordHash' | 'role'>

export type UserRepository = ReturnType<typeof createUserRepository>

export const createUserRepository = ({ db, read, write }: Database) => ({
  async list(actor: Actor, query: ListUsers) {
    const where = matching(query)
    const [, counted, rows] = await read([
      actorGuard(actor),
      countUpTo(users, where),
      pageOf({
        table: users,
        json: userJson,
        where,
        order: orderBy(query.sort, sortable, users.id),
        limit: query.limit,
        offset: offsetOf(query),
      }),
    ])
    return { data: dataOf<User>(rows), counted: countOf(counted) }
  },

  async find(actor: Actor, id: string): Promise<User | undefined> {
    const [, [row]] = await read([
      actorGuard(actor),
      db
        .select({ user: userJson })
        .from(users)
        .where(and(eq(users.id, id), live)),
    ])
    return row?.user
  },

  async passwordHash(actor: Actor): Promise<string | undefined> {
    const [, [user]] = await read([
      actorGuard(actor),
      db.select({ passwordHash: users.passwordHash }).from(users).where(eq(users.id, actor.id)),
    ])
    return user?.passwordHash
  },

  create(actor: Actor, values: NewUser, once?: IdempotentRequest): Promise<Reply> {
    const batch = write([
      actorGuard(actor),
      ...beginOnce(actor, once),
      db.insert(users).values({ ...values, ...verifiedNow }),
      finish(actor, once, 201, sql`select ${userJson} from users where id = ${values.id}`),
    ])
    return replyOf(201, batch)
  },

  /**
   * A new password ends the account's sessions, but for the one that changed it. `verifiedHash` is the one that the
   * current password was checked against: when it is another by now, so is the current password. `notice` is the mail
   * that tells of a new password. The objects of the account's keys learn of another plan or role by jobs; a demoted
   * administrator's keys end.
   */
  async change(
    actor: Actor,
    id: string,
    values: Changes,
    { verifiedHash, notice, origin }: Checked,
  ): Promise<(Left & { user: User }) | undefined> {
    const isLive = sql`exists (select from users where id = ${id} and deleted_at is null)`
    const demotes = isLesser(values.role)
    const changesKeys = values.plan !== undefined || values.role !== undefined
    const reason = 'the account was demoted'
    const { requestId } = origin
    const [, , , , , , , renewals, , [row]] = await write([
      actorGuard(actor),
      demotes ? lockAdmins : undefined,
      lockUser(id),
      actorGuard(actor),
      demotes ? notLastAdmin(id) : undefined,
      verifiedHash === undefined ? undefined : stillHasPassword(id, verifiedHash),
      values.plan === undefined ? undefined : planChange(actor, id, values.plan, requestId),
      changesKeys ? renewKeysOf(id, origin) : undefined,
      // oxlint-disable-next-line selvedge/roles -- the same
      demotes ? endKeysOf(id, { actor, requestId, reason, which: sql`role = 'admin'` }) : undefined,
      db
        .update(users)
        .set({ ...values, ...(values.email !== undefined && verifiedNow), updatedAt: sql`now()` })
        .where(and(eq(users.id, id), live))
        .returning({ user: userJson }),
      values.passwordHash === undefined
        ? undefined
        : revokeSessions(id, actor.kind === 'user' ? actor.sessionId : undefined),
      values.email === undefined ? undefined : voidMailedTokens(id),
      values.passwordHash === undefined ? undefined : voidMailedTokens(id, ['resetPassword', 'changeEmail']),
      notice === undefined ? undefined : enqueue(notice, isLive),
    ])
    return row && { user: row.user, jobs: jobsOf(renewals) }
  },

  /** Undefined when there is no such account. The row stays for its orders; personal data goes, and the e-mail address is free again. */
  async remove(actor: Actor, id: string, origin: Origin): Promise<Left | undefined> {
    const reason = 'the account was deleted'
    const [, , , , , { rowCount }, , , , , renewals] = await write([
      actorGuard(actor),
      lockAdmins,
      lockUser(id),
      actorGuard(actor),
      notLastAdmin(id),
      sql`update users set name = 'Deleted account', email = id || '@deleted.invalid', password_hash = '',
          deleted_at = now(), updated_at = now()
        where id = ${id} and deleted_at is null`,
      revokeSessions(id),
      forgetMailedTokens(id),
      forgetRecipient(id),
      sql`update sessions set user_agent = null, device = null where user_id = ${id}`,
      renewKeysOf(id, origin),
      endKeysOf(id, { actor, requestId: origin.requestId, reason }),
      sql`update api_keys set name = 'Deleted key' where user_id = ${id}`,
    ])
    return rowCount === 1 ? { jobs: jobsOf(renewals) } : undefined
  },
})
