import type { Origin } from './outbox.ts'
import type { Producer } from './producer.ts'
import type { JobRepository } from './repository.ts'
import { dueSlots } from './schedule.ts'

type Deps = {
  jobs: Pick<JobRepository, 'sweep' | 'fillSlots'>
  producer: Producer
  origin: Origin
  newId: () => string
}

/** Rounds of a sweep; what is left is for the next. */
const maxRounds = 20

/** Brings back what the queue has lost, and begins what the schedule says. */
export const createSweeper = ({ jobs, producer, origin, newId }: Deps) => ({
  /** Answers how many ids were sent. */
  async sweep(): Promise<number> {
    let sent = 0
    for (let round = 0; round < maxRounds; round++) {
      const { relayed, failed, isFull } = await jobs.sweep()
      await producer.send(relayed.map((id) => ({ id })))
      await producer.bury(failed)
      sent += relayed.length + failed.length
      if (!isFull) break
    }
    return sent
  },

  /** Whoever asks, and however often: every moment of a schedule makes one job. Answers how many are new. */
  async schedule(now: Date): Promise<number> {
    const slots = dueSlots(now).map((slot) => ({ ...slot, id: newId() }))
    if (slots.length === 0) return 0
    const ids = await jobs.fillSlots(slots, origin.requestId)
    await producer.send(ids.map((id) => ({ id })))
    return ids.length
  },
})
