import { describeError } from '../shared/describe-error.ts'
import type { Message } from './consumer.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Buried, JobRepository } from './repository.ts'

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  jobs: Pick<JobRepository, 'bury'>
  dispatcher: Pick<Dispatcher, 'send'>
  log: { warn: Log; error: Log }
}

/** Seconds until a batch is delivered again when the database is away. */
const awayDelay = 30

/** The dead-letter queue's consumer: makes dead what the row says has failed, and sends back whatever else came here. */
export const createDeadLetters = ({ jobs, dispatcher, log }: Deps) => ({
  async work(messages: readonly Message[]): Promise<void> {
    let found: Buried[]
    try {
      found = await jobs.bury([...new Set(messages.map(({ id }) => id))])
    } catch (error) {
      log.warn('dead letters could not be read', { jobs: messages.length, error: describeError(error) })
      for (const message of messages) message.retry(awayDelay)
      return
    }
    for (const one of found) {
      if (one.what !== 'dead') continue
      const { id, type, requestId, error } = one
      // With the id of the request that caused it, not this batch's own: the alarm leads to its lines.
      log.error('job is dead', { requestId, jobId: id, type, error })
    }
    dispatcher.send(found.flatMap(({ what, id }) => (what === 'dead' ? [] : [{ id }])))
    for (const message of messages) message.ack()
  },
})
