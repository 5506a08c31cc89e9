import { sql, type SQL } from 'drizzle-orm'
import { one } from '../db/one.ts'
import type { Actor } from '../shared/actor.ts'
import { AppError } from '../shared/errors.ts'
import { purgeBatch } from '../shared/purge.ts'
import { Replay } from '../shared/replay.ts'
import type { IdempotentRequest, Reply } from '../shared/idempotency.ts'

/** A key is kept this long; then it may be used anew. */
const kept = sql.raw(`interval '24 hours'`)

type Begin = [SQL | undefined, SQL | undefined, SQL | undefined]

/**
 * Behind the actor guard and before the effect. Whoever holds the scope's lock until its commit makes the others fail
 * at once; whoever comes after the commit finds the row, which raises the stored reply; only the first goes on. A
 * transaction that fails leaves neither lock nor row, so the same key runs anew.
 */
export const beginOnce = (actor: Actor, request: IdempotentRequest | undefined): Begin => {
  if (request === undefined) return [undefined, undefined, undefined]
  const { operation, key, hash } = request
  const scope = `${actor.id} ${operation} ${key}`
  const hashed = sql`decode(${hash}, 'hex')`
  return [
    sql`select raise_app('IDEMPOTENCY_IN_FLIGHT', null)
      where not pg_try_advisory_xact_lock(hashtextextended(${scope}, 0))`,
    sql`select raise_app('REPLAY', json_build_object('same', request_hash = ${hashed}, 'status', status, 'text', reply)::text)
      from idempotency_keys
      where actor_id = ${actor.id} and operation = ${operation} and key = ${key} and created_at > now() - ${kept}`,
    // Only an expired row can be in the way.
    sql`insert into idempotency_keys (actor_id, operation, key, request_hash)
      values (${actor.id}, ${operation}, ${key}, ${hashed})
      on conflict (actor_id, operation, key)
      do update set request_hash = excluded.request_hash, status = null, reply = null, created_at = now()`,
  ]
}

/**
 * The last statement: `data` is a query of one row and one JSON column; what may be absent has been raised before. Its
 * text is the reply, kept under the key when there is one, so that the first reply and every replay are the same bytes.
 */
export const finish = (
  actor: Actor,
  request: IdempotentRequest | undefined,
  status: number,
  data: SQL,
): SQL => {
  const body = sql`select json_build_object('data', made.data)::text as text from (${data}) as made(data)`
  if (request === undefined) return body
  const { operation, key } = request
  return sql`update idempotency_keys set status = ${status}, reply = body.text from (${body}) as body
    where actor_id = ${actor.id} and operation = ${operation} and key = ${key} returning body.text as text`
}

type Finished = { rows: Record<string, unknown>[] }

/**
 * Waits for a batch that ends with `finish` and answers its reply, or the one of the first time.
 * @throws IDEMPOTENCY_KEY_REUSED when something else was asked under the same key
 */
export const replyOf = async (
  status: number,
  batch: Promise<readonly [...unknown[], Finished]>,
): Promise<Reply> => {
  try {
    const [finished] = (await batch).slice(-1) as [Finished]
    return { status, text: String(one(finished.rows[0])['text']), replayed: false }
  } catch (error) {
    if (!(error instanceof Replay)) throw error
    if (!error.same) {
      throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another request', {
        cause: error,
      })
    }
    return { status: error.status, text: error.text, replayed: true }
  }
}

export const purgeKeys = (): SQL => sql`
  delete from idempotency_keys where ctid in (
    select ctid from idempotency_keys where created_at <= now() - ${kept} limit ${purgeBatch}
  )`
