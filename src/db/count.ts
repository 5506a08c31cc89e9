import { sql, type SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { maxCounted } from '../shared/page.ts'

/** Counts matching rows, but no more than a page can tell: `maxCounted + 1` means "more". */
export const countUpTo = (table: PgTable, where: SQL | undefined): SQL =>
  sql`select count(*) as n from (select 1 from ${table} where ${where ?? sql`true`} limit ${maxCounted + 1}) as counted`

export const countOf = ({ rows: [row] }: { rows: Record<string, unknown>[] }): number =>
  Number(row?.['n'] ?? 0)
