import { sql, type SQL } from 'drizzle-orm'
import { iso } from '../db/json.ts'
import type { ApiKey } from './schema.ts'

/** A row of `api_keys` as the API shows it; `prefix` is what keys of this environment begin with. */
export const apiKeyJson = (prefix: string): SQL<ApiKey> => sql<ApiKey>`json_build_object(
  'id', api_keys.id, 'name', api_keys.name, 'scopes', api_keys.scopes,
  'start', ${prefix}::text || replace(api_keys.id::text, '-', ''),
  'createdAt', ${iso('api_keys.created_at')}, 'expiresAt', ${iso('api_keys.expires_at')},
  'lastUsedAt', ${iso('api_keys.last_used_at')},
  'previousUntil', case when previous_until > now() then ${iso('previous_until')} end)`
