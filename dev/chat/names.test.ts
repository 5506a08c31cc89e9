import { describe, expect, it, vi } from 'vitest'
import { createNames } from './names.ts'

const ada = { userId: 'a', name: 'Ada Admin' }

describe('names', () => {
  it('looks nobody up who is known, or for the system', async () => {
    const load = vi.fn(async () => [])
    const names = createNames({ load, known: [ada] })
    expect(await names.nameOf('a', 1)).toBe('Ada Admin')
    expect(await names.nameOf(null, 1)).toBe('—')
    expect(load).not.toHaveBeenCalled()
  })

  it('looks up who has joined since', async () => {
    const load = vi.fn(async () => [ada])
    const names = createNames({ load, now: () => 5 })
    expect(await names.nameOf('a', 4)).toBe('Ada Admin')
    expect(await names.nameOf('a', 9)).toBe('Ada Admin')
    expect(load).toHaveBeenCalledOnce()
  })

  it('calls a former member that, and asks once for all that was heard before the answer', async () => {
    const load = vi.fn(async () => [])
    const names = createNames({ load, now: () => 5 })
    expect(await names.nameOf('gone', 3)).toBe('a former member')
    expect(await names.nameOf('gone too', 4)).toBe('a former member')
    expect(load).toHaveBeenCalledOnce()
    await names.nameOf('gone', 6)
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('knows nothing of somebody when the API does not answer, and asks again', async () => {
    const load = vi.fn(async () => [ada]).mockRejectedValueOnce(new Error('away'))
    const names = createNames({ load, now: () => 5 })
    expect(await names.nameOf('a', 4)).toBe('somebody')
    expect(await names.nameOf('a', 4)).toBe('Ada Admin')
  })
})
