import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/client/api-error.ts'
import type { Client } from '../../src/client/rest.ts'
import { createProductNames } from './product-names.ts'

const failure = (status: number) => new ApiError({ status, code: 'UNKNOWN', message: 'No' })

/** Requests that are answered when the test says so. */
const openNames = () => {
  const asked: { id: string; answer: (name: string) => void; fail: (error: ApiError) => void }[] = []
  const get = (_: string, { params }: { params: { path: { idOrSlug: string } } }) =>
    new Promise((resolve, reject) =>
      asked.push({
        id: params.path.idOrSlug,
        answer: (name) => resolve({ data: { name } }),
        fail: reject,
      }),
    )
  return { asked, names: createProductNames({ get } as unknown as Client) }
}

const turns = () => new Promise((resolve) => setTimeout(resolve))

describe('names of products', () => {
  it('are asked for once each, three at a time', async () => {
    const { asked, names } = openNames()
    const all = ['a', 'b', 'c', 'd', 'a'].map((id) => names.of(id))
    await turns()
    expect(asked.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(names.known('a')).toBeUndefined()
    asked[1]?.answer('Twine')
    await turns()
    expect(asked.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    for (const { id, answer } of asked) answer(`Name of ${id}`)
    expect(await Promise.all(all)).toEqual(['Name of a', 'Twine', 'Name of c', 'Name of d', 'Name of a'])
    expect(names.known('a')).toBe('Name of a')
    await names.of('a')
    expect(asked).toHaveLength(4)
  })

  it('are null of what is gone, and asked for again after a failure', async () => {
    const { asked, names } = openNames()
    const [gone, away] = [names.of('gone'), names.of('away')]
    await turns()
    asked[0]?.fail(failure(404))
    asked[1]?.fail(failure(503))
    expect([await gone, await away]).toEqual([null, null])
    expect([names.known('gone'), names.known('away')]).toEqual([null, undefined])
    const again = names.of('away')
    await turns()
    asked[2]?.answer('Shears')
    expect(await again).toBe('Shears')
  })
})
