import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PermanentError } from '../shared/permanent-error.ts'
import type { JobHandlers } from './catalog.ts'
import { createConsumer } from './consumer.ts'
import type { Settled } from './journal.ts'
import type { Claimed } from './repository.ts'
import type { Outcome } from './statements.ts'

type Handler = JobHandlers['ops.alert']

const alert = { jobId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11', type: 'x', failures: 1, error: null }
const claimed = (id: string, more: Partial<Claimed> = {}): Claimed => ({
  ...{ id, attempt: 1, type: 'ops.alert', payload: alert, requestId: `request-of-${id}`, traceparent: null },
  ...more,
})

const notHere = () => Promise.reject(new Error('not here'))
const elsewhere = {
  'mail.send': notHere,
  'report.build': notHere,
  'apiKey.renew': () => Promise.resolve(),
  'report.daily': notHere,
  'chat.files': notHere,
  'chat.members': notHere,
  'chat.orderStatus': notHere,
  'inbox.notify': notHere,
  'sessions.ended': notHere,
  'upload.process': notHere,
}

type Setting = {
  jobs: Claimed[]
  handler?: Handler
  build?: JobHandlers['report.build']
  settle?: (outcomes: Outcome[]) => Promise<Settled[]>
  renew?: (ids: string[]) => Promise<string[]>
  claim?: () => Promise<Claimed[]>
}

const asWritten = (outcomes: Outcome[]): Promise<Settled[]> =>
  Promise.resolve(
    outcomes.map((outcome) => ({
      ...{ id: outcome.id, done: outcome.done, delaySeconds: 10 },
      failed: !outcome.done && outcome.permanent,
    })),
  )

const setUp = ({
  jobs,
  handler = () => Promise.resolve(),
  build = notHere,
  settle = asWritten,
  renew,
  claim,
}: Setting) => {
  const seen = { outcomes: [] as Outcome[], buried: [] as string[], calls: 0, logged: [] as string[] }
  const fates = new Map<string, (string | number)[]>()
  const log = (message: string) => void seen.logged.push(message)
  const consumer = createConsumer({
    jobs: {
      claim: () => {
        seen.calls++
        return claim?.() ?? Promise.resolve(jobs)
      },
      settle: (outcomes) => {
        seen.calls++
        seen.outcomes.push(...outcomes)
        return settle(outcomes)
      },
      renew: (leases) => {
        seen.calls++
        const ids = leases.map(({ id }) => id)
        return renew?.(ids) ?? Promise.resolve(ids)
      },
    },
    bury: (ids) => Promise.resolve(void seen.buried.push(...ids)),
    workshopFor: () => ({
      handlers: { ...elsewhere, 'ops.alert': handler, 'report.build': build },
      log: { info: log, warn: log },
    }),
    log: { warn: log, error: log },
  })
  const message = (id: string) => {
    const fate = (what: string | number) => void fates.set(id, [...(fates.get(id) ?? []), what])
    return { id, ack: () => fate('ack'), retry: (delay: number) => fate(delay) }
  }
  const work = (ids = jobs.map(({ id }) => id)) => consumer.work(ids.map(message))
  return { work, seen, fates }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const settleSoon = async (work: Promise<void>, milliseconds = 60_000) => {
  await vi.advanceTimersByTimeAsync(milliseconds)
  await work
}

describe('a batch', () => {
  it('of ten quick jobs costs one call for the claim and one for all outcomes', async () => {
    const jobs = Array.from({ length: 10 }, (_, n) => claimed(`job-${n}`))
    const { work, seen, fates } = setUp({ jobs })
    await settleSoon(work())
    expect(seen.calls).toBe(2)
    expect([...fates.values()]).toEqual(jobs.map(() => ['ack']))
  })

  it('has every message answered once and for itself: poison harms no neighbour', async () => {
    const { work, seen, fates } = setUp({
      jobs: ['good', 'flaky', 'poison'].map((id) => claimed(id)),
      handler: (_, { id }) => {
        if (id === 'flaky') return Promise.reject(new Error('not now'))
        if (id === 'poison') return Promise.reject(new PermanentError('never'))
        return Promise.resolve()
      },
    })
    await settleSoon(work(['good', 'flaky', 'poison', 'unknown']))
    expect(Object.fromEntries(fates)).toEqual({
      good: ['ack'],
      flaky: [10],
      poison: ['ack'],
      unknown: ['ack'],
    })
    expect(seen.buried).toEqual(['poison'])
  })

  it('keeps secrets out of what the row says of a failure', async () => {
    const { work, seen } = setUp({
      jobs: [claimed('one')],
      handler: () => Promise.reject(new Error('refused: token=abc123, //user:hunter2@host')),
    })
    await settleSoon(work())
    const [outcome] = seen.outcomes
    expect(outcome).toMatchObject({
      done: false,
      error: 'Error: refused: token=[redacted], //[redacted]@host',
    })
  })

  it('runs one report after the other, and lets nothing else wait for them', async () => {
    const report = { type: 'report.build', payload: { reportId: alert.jobId } }
    const seen: string[] = []
    const { work, fates } = setUp({
      jobs: [claimed('a', report), claimed('b', report), claimed('c', report), claimed('alert')],
      handler: () => Promise.resolve(void seen.push('alert')),
      build: async (_, { id }) => {
        seen.push(`${id} begins`)
        await new Promise((resolve) => setTimeout(resolve, 5_000))
        seen.push(`${id} ends`)
        if (id === 'a') throw new Error('not now')
      },
    })
    await settleSoon(work())
    expect(seen).toEqual(['alert', 'a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    expect(Object.fromEntries(fates)).toEqual({ a: [10], b: ['ack'], c: ['ack'], alert: ['ack'] })
  })

  it('does not begin a report whose lease was lost while it waited', async () => {
    const report = { type: 'report.build', payload: { reportId: alert.jobId } }
    const begun: string[] = []
    const { work, seen, fates } = setUp({
      jobs: [claimed('a', report), claimed('b', report)],
      renew: (ids) => Promise.resolve(ids.filter((id) => id !== 'b')),
      build: async (_, { id }) => {
        begun.push(id)
        await new Promise((resolve) => setTimeout(resolve, 15_000))
      },
    })
    await settleSoon(work())
    expect(begun).toEqual(['a'])
    expect(seen.outcomes.map(({ id }) => id)).toEqual(['a'])
    expect(Object.fromEntries(fates)).toEqual({ a: ['ack'], b: ['ack'] })
  })

  it('that delivers a message twice runs the job once', async () => {
    const handler = vi.fn<Handler>(() => Promise.resolve())
    const { work, fates } = setUp({ jobs: [claimed('one')], handler })
    await settleSoon(work(['one', 'one']))
    expect(handler).toHaveBeenCalledTimes(1)
    expect(fates.get('one')).toEqual(['ack', 'ack'])
  })

  it('that cannot be claimed is delivered again after 30 s, and counts nothing', async () => {
    const { work, seen, fates } = setUp({
      jobs: [claimed('one')],
      claim: () => Promise.reject(new Error('the database is away')),
    })
    await settleSoon(work())
    expect(fates.get('one')).toEqual([30])
    expect(seen.outcomes).toEqual([])
  })
})

describe('a job', () => {
  it('knows the ids of the request that caused it', async () => {
    const handler = vi.fn<Handler>(() => Promise.resolve())
    const { work } = setUp({ jobs: [claimed('one', { traceparent: '00-a-b-01' })], handler })
    await settleSoon(work())
    expect(handler.mock.calls[0]?.[1]).toMatchObject({
      id: 'one',
      requestId: 'request-of-one',
      traceparent: '00-a-b-01',
    })
  })

  it.each([
    ['whose payload is not valid fails for good', { payload: {} }, true],
    ['of a type that only a newer deployment knows is tried again', { type: 'moon.land' }, false],
  ])('%s', async (_, more, permanent) => {
    const { work, seen } = setUp({ jobs: [claimed('one', more)] })
    await settleSoon(work())
    expect(seen.outcomes).toMatchObject([{ id: 'one', done: false, permanent }])
  })

  it('of a minute keeps its lease, and is aborted when it has lost it', async () => {
    let held = true
    let signal: AbortSignal | undefined
    const { work, seen, fates } = setUp({
      jobs: [claimed('long')],
      renew: (ids) => Promise.resolve(held ? ids : []),
      handler: (_, context) => {
        signal = context.signal
        return new Promise(() => undefined)
      },
    })
    const working = work()
    await vi.advanceTimersByTimeAsync(45_000)
    expect(signal?.aborted).toBe(false)
    expect(seen.calls).toBe(5)
    held = false
    await settleSoon(working, 10_000)
    expect(signal?.aborted).toBe(true)
    expect(seen.outcomes).toEqual([])
    expect(fates.get('long')).toEqual(['ack'])
  })

  it('is aborted when its lease could not be renewed for as long as it lasts', async () => {
    let aborted = 0
    const started = Date.now()
    const { work } = setUp({
      jobs: [claimed('long')],
      renew: () => Promise.reject(new Error('the database is away')),
      handler: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = Date.now() - started
            reject(new Error('aborted'))
          })
        }),
    })
    await settleSoon(work())
    expect(aborted).toBe(30_000)
  })

  it('that does not end fails before the platform ends its consumer', async () => {
    const { work, seen } = setUp({ jobs: [claimed('endless')], handler: () => new Promise(() => undefined) })
    await settleSoon(work(), 13 * 60_000)
    expect(seen.outcomes).toMatchObject([{ done: false, permanent: false, error: 'Error: It took too long' }])
  })

  it('whose outcome cannot be written is delivered again', async () => {
    const { work, fates } = setUp({ jobs: [claimed('one')], settle: () => Promise.reject(new Error('away')) })
    await settleSoon(work())
    expect(fates.get('one')).toEqual([30])
  })

  it('whose lease somebody else has by now is acknowledged, and nothing is buried', async () => {
    const { work, seen, fates } = setUp({
      jobs: [claimed('one')],
      handler: () => Promise.reject(new PermanentError('never')),
      settle: () => Promise.resolve([]),
    })
    await settleSoon(work())
    expect(fates.get('one')).toEqual(['ack'])
    expect(seen.buried).toEqual([])
  })
})
