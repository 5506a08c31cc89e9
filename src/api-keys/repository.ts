import { sql, type SQL } from 'drizzle-orm'
import { recordAudit } from '../audit/record.ts'
import { actorGuard } from '../auth/actor-guard.ts'
import type { Database } from '../db/client.ts'
import { countOf, countUpTo } from '../db/count.ts'
import { one } from '../db/one.ts'
import { dataOf, pageOf } from '../db/page.ts'
import { raiseIf } from '../db/raise.ts'
import { enqueue, type Draft } from '../jobs/outbox.ts'
import type { Actor } from '../shared/actor.ts'
import { offsetOf, type PageRequest } from '../shared/page.ts'
import { purgeAll, purgeBatch } from '../shared/purge.ts'
import type { Scope } from '../shared/scopes.ts'
import { apiKeyJson } from './json.ts'
import type { ApiKey, ApiKeyUsage } from './schema.ts'
import { apiKeys } from './table.ts'

/** Living keys of an account. */
const maxKeys = 20

type NewKey = {
  id: string
  name: string
  scopes: readonly Scope[]
  /** ISO 8601. */
  expiresAt: string | undefined
  /** SHA-256 (hex) of the key. */
  hash: string
}

type Rotation = { id: string; hash: string; overlapSeconds: number; renewal: Draft }

const lives = sql`revoked_at is null and (expires_at is null or expires_at > now())`

/** What has expired is still shown, until it is revoked. */
const ofActor = ({ id }: Actor): SQL => sql`user_id = ${id} and revoked_at is null`

export type ApiKeyRepository = ReturnType<typeof createApiKeyRepository>

/** `prefix` is what keys of this environment begin with. */
export const createApiKeyRepository = ({ read, write }: Database, prefix: string) => {
  const json = apiKeyJson(prefix)
  const shown = (id: string): SQL => sql`select ${json} as data from api_keys where id = ${id}`
  const described = sql`jsonb_build_object('name', name, 'scopes', scopes, 'expiresAt', expires_at)`

  return {
    /** @throws API_KEY_QUOTA */
    async create(
      actor: Actor,
      { id, name, scopes, expiresAt, hash }: NewKey,
      requestId: string,
    ): Promise<ApiKey> {
      const results = await write([
        actorGuard(actor),
        // Whoever makes keys for an account makes them one after the other.
        sql`select 1 from users where id = ${actor.id} for no key update`,
        actorGuard(actor),
        raiseIf(
          'API_KEY_QUOTA',
          sql`select json_build_object('limit', ${maxKeys}::int)
            where (select count(*) from api_keys where user_id = ${actor.id} and ${lives}) >= ${maxKeys}`,
        ),
        sql`insert into api_keys (id, user_id, name, scopes, role, secret_hash, expires_at)
          select ${id}, ${actor.id}, ${name}, array(select json_array_elements_text(${JSON.stringify(scopes)}::json)),
            ${actor.role}, decode(${hash}, 'hex'), ${expiresAt ?? null}::timestamptz`,
        recordAudit({
          actor,
          requestId,
          action: 'apiKey.created',
          changes: sql`select id::text, null::jsonb, ${described} from api_keys where id = ${id}`,
        }),
        shown(id),
      ])
      return one(dataOf<ApiKey>(results[6])[0])
    },

    async list(actor: Actor, query: PageRequest) {
      const where = ofActor(actor)
      const [, counted, rows] = await read([
        actorGuard(actor),
        countUpTo(apiKeys, where),
        pageOf({
          table: apiKeys,
          json,
          where,
          order: [sql`created_at desc`, sql`id desc`],
          limit: query.limit,
          offset: offsetOf(query),
        }),
      ])
      return { data: dataOf<ApiKey>(rows), counted: countOf(counted) }
    },

    async find(actor: Actor, id: string): Promise<ApiKey | undefined> {
      const [, rows] = await read([actorGuard(actor), sql`${shown(id)} and ${ofActor(actor)}`])
      return dataOf<ApiKey>(rows)[0]
    },

    /** False when the account has no such key. `renewal` tells the key's object, should nobody else. */
    async revoke(actor: Actor, id: string, renewal: Draft): Promise<boolean> {
      const mine = sql`id = ${id} and ${ofActor(actor)}`
      const results = await write([
        actorGuard(actor),
        sql`select 1 from api_keys where ${mine} for update`,
        actorGuard(actor),
        enqueue(renewal, sql`exists (select from api_keys where ${mine})`),
        recordAudit({
          actor,
          requestId: renewal.origin.requestId,
          action: 'apiKey.revoked',
          changes: sql`select id::text, ${described}, null::jsonb from api_keys where ${mine}`,
        }),
        sql`update api_keys set revoked_at = now() where ${mine}`,
      ])
      return results[5].rowCount === 1
    },

    /** Undefined when the account has no such living key. One secret before the last works on, never two. */
    async rotate(actor: Actor, { id, hash, overlapSeconds, renewal }: Rotation): Promise<ApiKey | undefined> {
      const mine = sql`id = ${id} and ${ofActor(actor)} and ${lives}`
      const results = await write([
        actorGuard(actor),
        sql`select 1 from api_keys where ${mine} for update`,
        actorGuard(actor),
        enqueue(renewal, sql`exists (select from api_keys where ${mine})`),
        recordAudit({
          actor,
          requestId: renewal.origin.requestId,
          action: 'apiKey.rotated',
          changes: sql`select id::text, null::jsonb, jsonb_build_object('overlapSeconds', ${overlapSeconds}::int)
            from api_keys where ${mine}`,
        }),
        sql`update api_keys set secret_hash = decode(${hash}, 'hex'),
            previous_hash = case when ${overlapSeconds}::int > 0 then secret_hash end,
            previous_until = case when ${overlapSeconds}::int > 0 then now() + make_interval(secs => ${overlapSeconds}::int) end
          where ${mine} returning ${json} as data`,
      ])
      return dataOf<ApiKey>(results[5])[0]
    },

    /** The last days, today as the last, those without use too; undefined when the account has no such key. */
    async usage(actor: Actor, id: string, days: number): Promise<ApiKeyUsage[] | undefined> {
      const [, rows] = await read([
        actorGuard(actor),
        sql`select (
            select json_agg(json_build_object('day', day.day, 'requests', coalesce(api_key_usage.requests, 0)) order by day.day)
            from (select (now() at time zone 'UTC')::date - n as day from generate_series(0, ${days}::int - 1) as n) as day
            left join api_key_usage on key_id = api_keys.id and api_key_usage.day = day.day
          ) as data
          from api_keys where id = ${id} and ${ofActor(actor)}`,
      ])
      return dataOf<ApiKeyUsage[]>(rows)[0]
    },

    /** How many rows were deleted: keys that ended three months ago, and usage of more than 13 months. */
    async purgeExpired(): Promise<number> {
      const purge = (rows: SQL) =>
        purgeAll(async () => {
          const [{ rowCount }] = await write([rows])
          return rowCount
        })
      const ended = await purge(sql`delete from api_keys where id in (
        select id from api_keys where revoked_at < now() - interval '90 days' limit ${purgeBatch})`)
      const old = await purge(sql`delete from api_key_usage where ctid in (
        select ctid from api_key_usage where day < now() - interval '13 months' limit ${purgeBatch})`)
      return ended + old
    },
  }
}
