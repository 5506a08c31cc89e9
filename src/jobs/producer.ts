import { z } from 'zod'
import type { Delivery } from './state.ts'

/** What a message of both queues holds: the row has everything else. */
export const JobMessage = z.object({ id: z.uuid() })
export type JobMessage = z.infer<typeof JobMessage>

/** A queue's binding, as far as it is used here. */
export type JobQueue = {
  sendBatch: (messages: { body: JobMessage; delaySeconds?: number }[]) => Promise<unknown>
}

/** Seconds: the longest delay that Queues takes. */
const maxDelay = 43_200

/** Messages in one call. */
const batchSize = 100

const sendAll = async (queue: JobQueue, deliveries: readonly Delivery[]): Promise<void> => {
  for (let start = 0; start < deliveries.length; start += batchSize) {
    await queue.sendBatch(
      deliveries.slice(start, start + batchSize).map(({ id, delaySeconds = 0 }) => ({
        body: { id },
        ...(delaySeconds > 0 && { delaySeconds: Math.min(delaySeconds, maxDelay) }),
      })),
    )
  }
}

export type Producer = ReturnType<typeof createProducer>

/** What cannot be sent is thrown; the sweeper sends it within a minute. */
export const createProducer = ({ jobs, dead }: { jobs: JobQueue; dead: JobQueue }) => ({
  send: (deliveries: readonly Delivery[]): Promise<void> => sendAll(jobs, deliveries),
  bury: (ids: readonly string[]): Promise<void> =>
    sendAll(
      dead,
      ids.map((id) => ({ id })),
    ),
})
