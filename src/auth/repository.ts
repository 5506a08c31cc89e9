import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/json.ts'
import type { UserActor } from '../shared/actor.ts'
import { purgeAll, purgeBatch } from '../shared/purge.ts'
import { users } from '../users/table.ts'
import { actorGuard } from './actor-guard.ts'
import { addFirstToken, purgeSpentTokens } from './refresh-statements.ts'
import type { LoggedInUser } from './schema.ts'
import { sessionDays } from './session.ts'
import { sessions } from './table.ts'

const profile = {
  id: users.id,
  name: users.name,
  email: users.email,
  role: users.role,
  verifiedAt: sql<string | null>`${iso('users.verified_at')}`,
}

type NewSession = {
  id: string
  userId: string
  device: string | undefined
  userAgent: string | undefined
  /** SHA-256 (hex) of its first refresh token. */
  refreshHash: string
  /** The hash that the password was checked against. */
  passwordHash: string
  /** In its place when parameters have changed. */
  newPasswordHash: string | undefined
}

export type AuthRepository = ReturnType<typeof createAuthRepository>

export const createAuthRepository = ({ db, read, write }: Database) => ({
  async findByEmail(email: string): Promise<(LoggedInUser & { passwordHash: string }) | undefined> {
    const [[user]] = await read([
      db
        .select({ ...profile, passwordHash: users.passwordHash })
        .from(users)
        .where(and(eq(users.email, email), isNull(users.deletedAt))),
    ])
    return user
  },

  /** False when the account was deleted or its password changed since the hash was read. */
  async openSession(session: NewSession): Promise<boolean> {
    const { id, userId, device, userAgent, refreshHash, passwordHash, newPasswordHash } = session
    const unchanged = and(eq(users.id, userId), eq(users.passwordHash, passwordHash), isNull(users.deletedAt))
    // The row lock orders this against a change of the password, which then ends this session or refuses it.
    const insert = sql`
      insert into sessions (id, user_id, device, user_agent, expires_at)
      select ${id}, users.id, ${device ?? null}, ${userAgent ?? null}, now() + make_interval(days => ${sessionDays})
      from users where ${unchanged} for no key update`
    const [{ rowCount }] = await write([
      insert,
      addFirstToken(id, refreshHash),
      newPasswordHash === undefined
        ? undefined
        : db.update(users).set({ passwordHash: newPasswordHash }).where(unchanged),
    ])
    return rowCount === 1
  },

  async isSessionOf({ id, sessionId }: UserActor, email: string): Promise<boolean> {
    const [found] = await read([
      db
        .select({ id: sessions.id })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(
          and(
            eq(sessions.id, sessionId),
            isNull(sessions.revokedAt),
            gt(sessions.expiresAt, sql`now()`),
            eq(users.id, id),
            eq(users.email, email),
            isNull(users.deletedAt),
          ),
        ),
    ])
    return found.length > 0
  },

  async findActor(actor: UserActor): Promise<LoggedInUser | undefined> {
    const [, [user]] = await read([
      actorGuard(actor),
      db.select(profile).from(users).where(eq(users.id, actor.id)),
    ])
    return user
  },

  /** How many expired sessions were deleted, their tokens with them, and tokens that were spent long ago. */
  async purgeExpired(): Promise<number> {
    const tokens = await purgeAll(async () => {
      const [{ rowCount }] = await write([purgeSpentTokens()])
      return rowCount
    })
    const ended = await purgeAll(async () => {
      const [{ rowCount }] = await write([
        sql`delete from sessions where ctid in (
          select ctid from sessions where expires_at < now() limit ${purgeBatch}
        )`,
      ])
      return rowCount
    })
    return tokens + ended
  },
})
