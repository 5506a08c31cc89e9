import { getTableName, sql, type SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

type Page = {
  table: PgTable
  /** What a row looks like to the API. */
  json: SQL
  where: SQL | undefined
  order: SQL[]
  limit: number
  offset: number
  /**
   * Finds what matches before it sorts. The planner takes any search for a common one and would walk the sort's index,
   * reading row after row for a word that hardly any of them has.
   */
  matchFirst?: boolean
}

/** A page of a list, read by `dataOf`. The page is cut before its rows become JSON: what is skipped costs nothing more. */
export const pageOf = ({ table, json, where, order, limit, offset, matchFirst = false }: Page): SQL => {
  const name = sql.identifier(getTableName(table))
  const matching = sql`select * from ${table} where ${where ?? sql`true`}`
  const rows = matchFirst ? sql`select * from (${matching} offset 0) as ${name}` : matching
  const sorted = sql`order by ${sql.join(order, sql`, `)}`
  return sql`select ${json} as data from (${rows} ${sorted} limit ${limit} offset ${offset}) as ${name} ${sorted}`
}

/** `T` is what the page's JSON was typed as. */
export const dataOf = <T>({ rows }: { rows: Record<string, unknown>[] }): T[] =>
  rows.map(({ data }) => data as T)
