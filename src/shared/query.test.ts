import { z } from '@hono/zod-openapi'
import { describe, expect, it } from 'vitest'
import { flag, idParam, pageFields, reachIssue, sortField, withinReach } from './query.ts'

const List = z
  .strictObject({ ...pageFields, inStock: flag.optional(), sort: sortField(['name', 'price'], '-name') })
  .refine(withinReach, reachIssue)

const fieldsOf = (query: unknown) =>
  (List.safeParse(query).error?.issues ?? []).map(({ path, code }) => path[0] ?? code)

describe('a list query', () => {
  it('has defaults for everything', () => {
    expect(List.parse({})).toEqual({ page: 1, limit: 20, sort: '-name' })
  })

  it('reads numbers, flags and sorts', () => {
    expect(List.parse({ page: '100', limit: '100', inStock: 'false', sort: 'price' })).toEqual({
      page: 100,
      limit: 100,
      inStock: false,
      sort: 'price',
    })
  })

  it.each([
    [{ page: '0' }, 'page'],
    [{ page: '-1' }, 'page'],
    [{ page: '1.5' }, 'page'],
    [{ page: '1e3' }, 'page'],
    [{ page: '' }, 'page'],
    [{ page: ' 1' }, 'page'],
    [{ page: '9999999999' }, 'page'],
    [{ page: ['1', '2'] }, 'page'],
    [{ limit: '0' }, 'limit'],
    [{ limit: '101' }, 'limit'],
    [{ page: '101', limit: '100' }, 'page'],
    [{ inStock: 'yes' }, 'inStock'],
    [{ inStock: '' }, 'inStock'],
    [{ sort: 'stock' }, 'sort'],
    [{ sort: '--name' }, 'sort'],
    [{ sort: 'name,price' }, 'sort'],
    [{ colour: 'red' }, 'unrecognized_keys'],
  ])('refuses %j', (query, field) => {
    expect(fieldsOf(query)).toEqual([field])
  })
})

describe('idParam', () => {
  it.each(['1', 'linen', '01997b2c6f0e7c4a9d553f1f6f2f9f11', `{01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11}`, ''])(
    'refuses %j',
    (id) => {
      expect(idParam.safeParse({ id }).success).toBe(false)
    },
  )
})
