import { describeError } from '../shared/describe-error.ts'
import { LaterError } from '../shared/later-error.ts'
import { PermanentError } from '../shared/permanent-error.ts'
import { redactedText } from '../shared/redact.ts'
import { storableText } from '../shared/text.ts'
import { heavyTypes, Job, type JobContext, type JobHandlers } from './catalog.ts'
import { createJournal, type Settled } from './journal.ts'
import type { Claimed, JobRepository } from './repository.ts'
import type { Outcome } from './statements.ts'

/** A message of the queue, as far as it is used here; seconds. */
export type Message = { id: string; ack: () => void; retry: (delay: number) => void }

type Log = (message: string, fields: Record<string, unknown>) => void

/** What works on one job: its own handlers and log, which carry the ids of the request that caused it. */
export type Workshop = { handlers: JobHandlers; log: { info: Log; warn: Log } }

type Deps = {
  jobs: Pick<JobRepository, 'claim' | 'renew' | 'settle'>
  /** To the dead-letter queue. */
  bury: (ids: string[]) => Promise<void>
  workshopFor: (job: Claimed) => Workshop
  log: { warn: Log; error: Log }
}

/** Milliseconds. */
const renewEvery = 10_000
const leaseLife = 30_000
/** The platform ends a consumer after 15 minutes. */
const maxDuration = 12 * 60_000

/** Seconds after which a message is delivered again when the database cannot be asked. */
const awayDelay = 30

const maxError = 500

class LeaseLost extends Error {}

/**
 * Administrators read it, and the operators' chat and mail. What PostgreSQL could not store would keep the outcomes of
 * the whole batch from being written.
 */
const textOf = (error: unknown): string => {
  const { name, message, code } = describeError(error)
  return storableText(redactedText([name, code, message].filter(Boolean).join(': ')), maxError)
}

/** Runs the handler of a job; what is no job of ours fails like one. */
const run = async ({ type, payload }: Claimed, handlers: JobHandlers, context: JobContext): Promise<void> => {
  const known = Object.hasOwn(handlers, type)
  const parsed = Job.safeParse({ type, payload })
  if (!parsed.success) {
    // A type that this code does not know may be of a newer deployment, which will take it.
    const message = known ? 'The payload is not valid' : 'No code here knows this type of job'
    throw known ? new PermanentError(message) : new Error(message)
  }
  const handle = handlers[parsed.data.type] as (payload: unknown, context: JobContext) => Promise<void>
  await handle(parsed.data.payload, context)
}

/** Rejects when the signal is aborted, so that a handler that does not listen to it is not waited for. */
const unlessAborted = async (work: Promise<void>, signal: AbortSignal): Promise<void> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort)
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    work.catch(() => undefined)
  }
}

export type Consumer = ReturnType<typeof createConsumer>

/**
 * Works on what the queue delivers. Whether a job runs is decided by its row alone: the messages may come twice, late or
 * never. Every message is acknowledged, or tried again, for itself.
 */
export const createConsumer = ({ jobs, bury, workshopFor, log }: Deps) => {
  const work = async (messages: readonly Message[]): Promise<void> => {
    const retryAll = (error: unknown) => {
      log.warn('jobs could not be claimed', { jobs: messages.length, error: describeError(error) })
      for (const message of messages) message.retry(awayDelay)
    }
    let renewedAt = Date.now()
    const claimed = await jobs.claim([...new Set(messages.map(({ id }) => id))]).catch(retryAll)
    if (claimed === undefined) return

    const running = new Map<string, { attempt: number; controller: AbortController }>()
    for (const { id, attempt } of claimed) running.set(id, { attempt, controller: new AbortController() })
    const journal = createJournal({ settle: (outcomes) => jobs.settle(outcomes), expected: claimed.length })

    const lose = (id: string) => running.get(id)?.controller.abort(new LeaseLost('The lease was lost'))

    const renew = async (): Promise<void> => {
      const asked = Date.now()
      const leases = [...running].map(([id, { attempt }]) => ({ id, attempt }))
      if (leases.length === 0) return
      try {
        const held = new Set(await jobs.renew(leases))
        renewedAt = asked
        for (const { id } of leases) if (!held.has(id)) lose(id)
      } catch (error) {
        log.warn('leases could not be renewed', { jobs: leases.length, error: describeError(error) })
        if (Date.now() - renewedAt >= leaseLife) for (const { id } of leases) lose(id)
      }
    }

    /** Undefined: the lease was lost, and nothing counts that this attempt did. */
    const attemptOf = async (job: Claimed, own: Workshop['log'], handlers: JobHandlers) => {
      const { id, attempt, type, requestId, traceparent } = job
      const controller = running.get(id)?.controller ?? new AbortController()
      const overdue = setTimeout(() => controller.abort(new Error('It took too long')), maxDuration)
      const started = Date.now()
      const fields = () => ({ jobId: id, type, attempt, durationMs: Date.now() - started })
      try {
        const { signal } = controller
        signal.throwIfAborted()
        await unlessAborted(
          run(job, handlers, { id, requestId, traceparent: traceparent ?? undefined, signal }),
          signal,
        )
        own.info('job done', fields())
        return { id, attempt, done: true } satisfies Outcome
      } catch (error) {
        if (error instanceof LeaseLost) {
          own.warn('job lost its lease', fields())
          return undefined
        }
        const permanent = error instanceof PermanentError
        const later = error instanceof LaterError
        own.warn(later ? 'job postponed' : 'job failed', { ...fields(), error: describeError(error) })
        return { id, attempt, done: false, permanent, later, error: textOf(error) } satisfies Outcome
      } finally {
        clearTimeout(overdue)
      }
    }

    const conclude = async (message: Message, settled: Settled | undefined): Promise<void> => {
      // Fenced, done, or failed for good: this message has served.
      if (settled === undefined || settled.done) return message.ack()
      if (!settled.failed) return message.retry(settled.delaySeconds)
      message.ack()
      // The row says that it has failed: if this is lost, the sweeper sends it.
      await bury([settled.id]).catch((error: unknown) =>
        log.warn('dead-letter queue not reached', { jobId: settled.id, error: describeError(error) }),
      )
    }

    const workOn = async (job: Claimed, message: Message): Promise<void> => {
      try {
        const { handlers, log: own } = workshopFor(job)
        const outcome = await attemptOf(job, own, handlers)
        if (outcome === undefined) {
          journal.release()
          return message.ack()
        }
        await conclude(message, await journal.record(outcome))
      } catch (error) {
        log.error('outcome of a job could not be written', { jobId: job.id, error: describeError(error) })
        message.retry(awayDelay)
      } finally {
        running.delete(job.id)
      }
    }

    let turn = Promise.resolve()

    /** Ten reports at once would be more than an isolate's memory; leases are renewed while jobs wait. */
    const inTurn = (job: Claimed, message: Message): Promise<void> => {
      const begin = () => workOn(job, message)
      if (!heavyTypes.has(job.type)) return begin()
      turn = turn.then(begin, begin)
      return turn
    }

    const renewal = setInterval(() => void renew(), renewEvery)
    try {
      const byId = new Map(claimed.map((job) => [job.id, job]))
      await Promise.all(
        messages.map(async (message) => {
          const job = byId.get(message.id)
          // A second message of the same job, or one whose job is not to run now.
          if (job === undefined) return message.ack()
          byId.delete(message.id)
          await inTurn(job, message)
        }),
      )
    } finally {
      clearInterval(renewal)
    }
  }

  return { work }
}
