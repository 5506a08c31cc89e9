import { sql, type SQL } from 'drizzle-orm'
import type { ErrorCode } from '../shared/errors.ts'

/**
 * A guard for a batch: `detail` is a query of one row and one column. NULL (or no row) lets the batch go on; anything
 * else raises `code` with that JSON as details and undoes the whole transaction (migration 0000, `raise_app`).
 */
export const raiseIf = (code: ErrorCode, detail: SQL): SQL =>
  sql`select raise_app(${code}, guard.detail::text) from (${detail}) as guard(detail) where guard.detail is not null`

/** The same for a bare condition: raises without details when `condition` is true. */
export const raiseWhen = (code: ErrorCode, condition: SQL): SQL =>
  raiseIf(code, sql`select case when ${condition} then 'null' end`)
