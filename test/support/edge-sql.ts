import { neon, neonConfig } from '@neondatabase/serverless'
import { inject } from 'vitest'

/** One statement past the app: to lay out what a test needs, and to look at what the app did. */
export const sql = async <R = Record<string, unknown>>(
  text: string,
  params: unknown[] = [],
): Promise<R[]> => {
  neonConfig.fetchEndpoint = inject('fetchEndpoint')
  return (await neon(inject('databaseUrl')).query(text, params)) as R[]
}

/** Inserts rows that name the same columns. */
export const insert = async (table: string, rows: Record<string, unknown>[]): Promise<void> => {
  const columns = Object.keys(rows[0] ?? {}).join(', ')
  const from = `json_populate_recordset(null::${table}, $1::json)`
  await sql(`insert into ${table} (${columns}) select ${columns} from ${from}`, [JSON.stringify(rows)])
}
