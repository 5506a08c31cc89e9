import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { enqueueEach, type Origin } from '../jobs/outbox.ts'
import type { UserActor } from '../shared/actor.ts'
import { offsetOf, type PageRequest } from '../shared/page.ts'
import { actorGuard } from './actor-guard.ts'
import { sessionJson } from './json.ts'
import * as refresh from './refresh-statements.ts'
import { revokeSessions } from './revoke-sessions.ts'
import type { LoggedInUser, Session } from './schema.ts'
import { sessions } from './table.ts'

type Exchanged = {
  /** `unknown` too when its session was purged. */
  verdict: 'good' | 'reused' | 'ended' | 'unknown'
  sessionId: string
  user: LoggedInUser
}

/** The mail about a reuse: it is written only when that ends a living session. */
type Notice = { id: string; origin: Origin }

const livingOf = (userId: string) =>
  and(eq(sessions.userId, userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, sql`now()`))

export type SessionRepository = ReturnType<typeof createSessionRepository>

export const createSessionRepository = ({ read, write }: Database) => ({
  /** One transaction: whoever comes second sees what the first has done (docs/guides/sessions.md). */
  async refresh(exchange: refresh.Exchange, { id, origin }: Notice) {
    const stolen = refresh.stolenFamily(exchange)
    const [, , { rowCount: notices }, , , { rows }] = await write([
      refresh.lockFamily(exchange),
      refresh.spendToken(exchange),
      enqueueEach(
        'mail.send',
        sql`select ${id}::uuid, jsonb_build_object('template', 'sessionReused', 'sessionId', id), id
          from (${stolen}) as stolen`,
        origin,
      ),
      recordAudit({
        actor: { id: sql`(select user_id from sessions where sessions.id = change.subject::uuid)` },
        action: 'session.reused',
        requestId: origin.requestId,
        changes: sql`select id::text, null::jsonb, null::jsonb from (${stolen}) as stolen`,
      }),
      refresh.revokeStolenFamily(exchange),
      refresh.readVerdict(exchange),
    ])
    const [row] = rows as Exchanged[]
    return { ...(row ?? { verdict: 'unknown' as const }), noticed: notices > 0 }
  },

  async list(actor: UserActor, query: PageRequest) {
    const where = livingOf(actor.id)
    const [, counted, rows] = await read([
      actorGuard(actor),
      countUpTo(sessions, where),
      pageOf({
        table: sessions,
        json: sessionJson(actor.sessionId),
        where,
        order: [sql`last_used_at desc`, sql`id desc`],
        limit: query.limit,
        offset: offsetOf(query),
      }),
    ])
    return { data: dataOf<Session>(rows), counted: countOf(counted) }
  },

  /** False when the account has no such living session. */
  async end(actor: UserActor, id: string): Promise<boolean> {
    const [, { rowCount }] = await write([
      actorGuard(actor),
      sql`update sessions set revoked_at = now() where id = ${id} and ${livingOf(actor.id)}`,
    ])
    return rowCount === 1
  },

  async endAll(actor: UserActor): Promise<void> {
    await write([actorGuard(actor), revokeSessions(actor.id)])
  },
})
