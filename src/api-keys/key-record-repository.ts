import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Found, KeyRecord } from './record.ts'
import type { Totals } from './usage.ts'

const millis = (column: string) => sql.raw(`(extract(epoch from ${column}) * 1000)::float8`)

/** For the object of a key: it reads the key's row and tells what was used. */
export const createKeyRecordRepository = ({ read, write }: Database) => ({
  async find(keyId: string): Promise<Found> {
    const [{ rows }] = await read([
      // oxlint-disable-next-line selvedge/roles -- a key made as administrator ends with its account's role
      sql`select json_build_object(
          'userId', users.id, 'role', api_keys.role, 'scopes', scopes, 'plan', plan,
          'secretHash', encode(secret_hash, 'hex'), 'previousHash', encode(previous_hash, 'hex'),
          'previousUntil', ${millis('previous_until')}, 'expiresAt', ${millis('expires_at')}) as record,
          revoked_at is not null or deleted_at is not null or (api_keys.role = 'admin' and users.role <> 'admin') as ended
        from api_keys join users on users.id = user_id where api_keys.id = ${keyId}`,
    ])
    const [row] = rows
    if (row === undefined) return 'missing'
    return row['ended'] === true ? 'revoked' : (row['record'] as KeyRecord)
  },

  /** Totals only rise, in whatever order and however often they arrive. */
  async tell(keyId: string, { days, lastUsedAt }: Totals): Promise<void> {
    await write([
      sql`insert into api_key_usage (key_id, day, requests)
        select api_keys.id, total.day, total.requests
        from json_to_recordset(${JSON.stringify(days)}::json) as total(day date, requests int), api_keys
        where api_keys.id = ${keyId}
        on conflict (key_id, day) do update set requests = greatest(api_key_usage.requests, excluded.requests)`,
      sql`update api_keys set last_used_at = greatest(last_used_at, to_timestamp(${lastUsedAt}::float8 / 1000))
        where id = ${keyId}`,
    ])
  },
})
