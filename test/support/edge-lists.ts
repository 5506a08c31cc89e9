import { expect } from 'vitest'
import { z } from 'zod'
import { api } from './edge-api.ts'

const Rows = z.array(z.looseObject({ id: z.string() }))

/** A page of a list, which costs one call to the database whatever it filters and sorts. */
export const list = async (path: string, token?: string) => {
  const { status, data, pagination, calls } = await api('GET', path, { token })
  expect([status, calls], path).toEqual([200, 1])
  return { rows: Rows.parse(data), pagination }
}

export const idsOf = async (path: string, token?: string): Promise<string[]> =>
  (await list(path, token)).rows.map(({ id }) => id)

/** The ids of all pages one after the other. */
export const idsOfPages = async (path: string, pages: number, token?: string): Promise<string[]> => {
  const ids: string[] = []
  for (let page = 1; page <= pages; page++) ids.push(...(await idsOf(`${path}&page=${page}`, token)))
  return ids
}
