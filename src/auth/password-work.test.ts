import { scryptSync } from 'node:crypto'
import { beforeEach, expect, it, vi } from 'vitest'
import { hashPassword, verifyPassword } from './password.ts'

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>()
  return { ...real, scryptSync: vi.fn(real.scryptSync) }
})

const work = vi.mocked(scryptSync)

const stored = hashPassword('Warp-and-Weft-7')

beforeEach(() => {
  work.mockClear()
})

it.each([
  ['the right password', 'Warp-and-Weft-7', stored],
  ['a wrong password', 'wrong', stored],
  ['an account that does not exist', 'wrong', undefined],
  ['a stored text that is no hash', 'wrong', 'nonsense'],
])('costs the same work for %s', (_, password, hash) => {
  verifyPassword(password, hash)
  expect(work).toHaveBeenCalledTimes(1)
  expect(work.mock.calls[0]?.[2]).toBe(32)
  expect(work.mock.calls[0]?.[3]).toMatchObject({ N: 2 ** 14, r: 8, p: 5 })
})
