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
  /** `where` holds a text search, of which the planner cannot tell whether hardly any row has its words or most have. */
  searches?: boolean
}

/** Up to here it is quicker to find all that match and sort them than to walk the sort's index until enough match. */
const few = 2_000

/** A page of a list, read by `dataOf`. The page is cut before its rows become JSON: what is skipped costs nothing more. */
export const pageOf = ({ table, json, where, order, limit, offset, searches = false }: Page): SQL => {
  const name = sql.identifier(getTableName(table))
  const matching = sql`select * from ${table} where ${where ?? sql`true`}`
  const sorted = sql`order by ${sql.join(order, sql`, `)}`
  const cut = sql`${sorted} limit ${limit} offset ${offset}`
  if (!searches) return sql`select ${json} as data from (${matching} ${cut}) as ${name} ${sorted}`
  // Of the two ways only one is gone: the other's condition is false before it reads anything. `offset 0` keeps the
  // planner from walking an index in the first.
  return sql`with counted as materialized (select count(*) as n from (${matching} limit ${few + 1}) as found)
    select ${json} as data from (
      (select * from (${matching} and (select n from counted) <= ${few} offset 0) as ${name} ${cut})
      union all
      (${matching} and (select n from counted) > ${few} ${cut})
    ) as ${name} ${sorted}`
}

/** `T` is what the page's JSON was typed as. */
export const dataOf = <T>({ rows }: { rows: Record<string, unknown>[] }): T[] =>
  rows.map(({ data }) => data as T)
