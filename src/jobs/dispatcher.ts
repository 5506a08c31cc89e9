import { describeError } from '../shared/describe-error.ts'
import type { Job } from './catalog.ts'
import type { Consumer, Message } from './consumer.ts'
import type { Draft, Origin } from './outbox.ts'
import type { Producer } from './producer.ts'
import type { Delivery } from './state.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  newId: () => string
  origin: Origin
  /** Begins work that may go on when the response has been sent. */
  after: (work: Promise<void>) => void
  /** Where jobs go: into the queue, or, in previews, which have no consumer, through the hands of this isolate. */
  route: { producer: Producer } | { inline: Consumer }
  log: { warn: Log }
}

const nothing = () => undefined

/** What no queue has brought and none is to bring again. */
export const unqueued = (ids: readonly string[]): Message[] =>
  ids.map((id) => ({ id, ack: nothing, retry: nothing }))

export type Dispatcher = ReturnType<typeof createDispatcher>

/** For services: `draft` a job for the repository's batch, and `send` it once that has committed. */
export const createDispatcher = ({ newId, origin, after, route, log }: Deps) => {
  const deliver = async (deliveries: readonly Delivery[]): Promise<void> => {
    try {
      if ('producer' in route) return await route.producer.send(deliveries)
      await route.inline.work(unqueued(deliveries.map(({ id }) => id)))
    } catch (error) {
      // Nothing is lost: the row is there, and the sweeper sends what nobody took.
      log.warn('jobs not sent to the queue', { jobs: deliveries.length, error: describeError(error) })
    }
  }

  return {
    draft: (job: Job, subjectId: string): Draft => ({ ...job, id: newId(), subjectId, origin }),

    /** After the response; never throws. */
    send(deliveries: readonly Delivery[]): void {
      if (deliveries.length > 0) after(deliver(deliveries))
    },
  }
}
