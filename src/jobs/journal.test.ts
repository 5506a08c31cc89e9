import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createJournal, type Settled } from './journal.ts'
import type { Outcome } from './statements.ts'

const done = (id: string): Outcome => ({ id, attempt: 1, done: true })
const settled = (id: string): Settled => ({ id, done: true, failed: false, delaySeconds: 1 })

const journalOf = (
  expected: number,
  settle = (outcomes: Outcome[]) => Promise.resolve(outcomes.map(({ id }) => settled(id))),
) => {
  const calls: string[][] = []
  const journal = createJournal({
    expected,
    settle: (outcomes) => {
      calls.push(outcomes.map(({ id }) => id))
      return settle(outcomes)
    },
  })
  return { journal, calls }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a journal', () => {
  it('writes a batch of quick jobs in one call, as soon as the last has ended', async () => {
    const { journal, calls } = journalOf(3)
    const written = ['a', 'b', 'c'].map((id) => journal.record(done(id)))
    expect(await Promise.all(written)).toEqual(['a', 'b', 'c'].map(settled))
    expect(calls).toEqual([['a', 'b', 'c']])
  })

  it('does not let a quick job wait for a slow one', async () => {
    const { journal, calls } = journalOf(3)
    const quick = [journal.record(done('a')), journal.record(done('b'))]
    await vi.advanceTimersByTimeAsync(99)
    expect(calls).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await Promise.all(quick)
    await journal.record(done('slow'))
    expect(calls).toEqual([['a', 'b'], ['slow']])
  })

  it('does not wait for a job that will record nothing', async () => {
    const { journal, calls } = journalOf(2)
    const first = journal.record(done('a'))
    journal.release()
    await first
    expect(calls).toEqual([['a']])
  })

  it('answers undefined for an attempt that was not ours any more', async () => {
    const { journal } = journalOf(1, () => Promise.resolve([]))
    expect(await journal.record(done('a'))).toBeUndefined()
  })

  it('tries again when the database is away for a moment, and gives up in the end', async () => {
    let away = 2
    const { journal, calls } = journalOf(1, ([outcome]) =>
      away-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve(outcome ? [settled(outcome.id)] : []),
    )
    const written = journal.record(done('a'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await written).toEqual(settled('a'))
    expect(calls).toHaveLength(3)

    const hopeless = journalOf(1, () => Promise.reject(new Error('away')))
    const lost = expect(hopeless.journal.record(done('a'))).rejects.toThrow('away')
    await vi.advanceTimersByTimeAsync(20_000)
    await lost
    expect(hopeless.calls).toHaveLength(4)
  })
})
