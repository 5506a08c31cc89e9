import { sql, type SQL } from 'drizzle-orm'

/** A moment as the API writes it: UTC, ISO 8601, milliseconds; NULL stays null. `column` is SQL text of ours. */
export const iso = (column: string): SQL =>
  sql.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)
