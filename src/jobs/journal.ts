import { backoff, sleep } from '../shared/backoff.ts'
import type { Outcome } from './statements.ts'

/** What the row says of an attempt that was written; `failed`: for good, to the dead-letter queue with it. */
export type Settled = { id: string; done: boolean; failed: boolean; delaySeconds: number }

type Options = {
  settle: (outcomes: Outcome[]) => Promise<Settled[]>
  /** Outcomes that will be recorded in all: the last one does not wait for others. */
  expected: number
  /** Milliseconds for which the first outcome waits for others. */
  wait?: number
}

const tries = 4

/**
 * Writes how attempts ended, together what ends together, so that a batch of quick jobs costs one call and not one a
 * job. Writing again is harmless: an attempt that is settled is nobody's any more.
 */
export const createJournal = ({ settle, expected, wait = 100 }: Options) => {
  type Entry = {
    outcome: Outcome
    resolve: (settled: Settled | undefined) => void
    reject: (error: unknown) => void
  }
  let entries: Entry[] = []
  let outstanding = expected
  let timer: ReturnType<typeof setTimeout> | undefined

  const settleAtLast = async (outcomes: Outcome[]): Promise<Settled[]> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await settle(outcomes)
      } catch (error) {
        if (attempt + 1 >= tries) throw error
        await sleep(backoff(attempt, { base: 1_000, cap: 4_000 }))
      }
    }
  }

  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const batch = entries
    entries = []
    try {
      const settled = new Map(
        (await settleAtLast(batch.map(({ outcome }) => outcome))).map((one) => [one.id, one]),
      )
      for (const { outcome, resolve } of batch) resolve(settled.get(outcome.id))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  /** One job less to wait for: it will record nothing. */
  const release = (): void => {
    outstanding -= 1
    if (outstanding <= 0 && entries.length > 0) void flush()
  }

  return {
    release,

    /** Undefined when the attempt was not ours any more. @throws when the database does not take it */
    record(outcome: Outcome): Promise<Settled | undefined> {
      const { promise, resolve, reject } = Promise.withResolvers<Settled | undefined>()
      entries.push({ outcome, resolve, reject })
      outstanding -= 1
      if (outstanding <= 0) void flush()
      else timer ??= setTimeout(() => void flush(), wait)
      return promise
    },
  }
}
