import type { Actor } from '../../shared/actor.ts'
import { describeError } from '../../shared/describe-error.ts'
import { prefixes } from '../keys.ts'
import type { SweepOutcome } from '../schema.ts'
import type { Remains } from '../remains.ts'
import { createSpans, type Prefix, type Span } from '../span.ts'
import type { UploadStore } from '../store.ts'
import { sweepBatch } from '../sweep-batch.ts'
import type { Place, SweepPlace } from '../sweep-place.ts'
import type { Missing, SweepRepository } from '../sweep-repository.ts'
import type { Discard } from './discard.ts'

type Deps = {
  sweeps: SweepRepository
  store: Pick<UploadStore, 'list' | 'remove' | 'head'>
  place: SweepPlace
  discard: Discard
  requestId: string
  log: { warn: (message: string, fields: Record<string, unknown>) => void }
  pageSize?: number
  now?: () => number
}

/** Milliseconds: the age from which an object without a row is nobody's. */
const oldAge = 24 * 60 * 60_000

/** Milliseconds for a sweep; the platform ends a cron after 15 minutes. */
const maxDuration = 10 * 60_000

const maxSamples = 10

type Tally = { count: number; samples: string[] }

const add = (tally: Tally, found: readonly string[]): void => {
  tally.count += found.length
  tally.samples.push(...found.slice(0, maxSamples - tally.samples.length))
}

/**
 * Heals what died half-way: takes away what nothing refers to, and marks what refers to nothing. It looks only under the
 * prefixes of uploads, and holds one page of a listing at a time, for which it asks the database once.
 */
export const createUploadSweeper = ({
  sweeps,
  store,
  place,
  discard,
  requestId,
  log,
  pageSize = 1_000,
  now = Date.now,
}: Deps) => {
  /** From `start` of the listing on; answers what it found, and where it was when its time was up. */
  const sweepFrom = async (dryRun: boolean, start?: Place) => {
    const deadline = now() + maxDuration
    const outcome: SweepOutcome = {
      dryRun,
      objects: 0,
      orphans: { count: 0, samples: [] },
      stale: { count: 0, samples: [] },
      ownerless: { count: 0, samples: [] },
      remains: { count: 0, samples: [] },
      missing: { count: 0, samples: [] },
      isComplete: true,
    }

    const isLate = (): boolean => {
      if (now() < deadline) return false
      outcome.isComplete = false
      return true
    }

    /** One that cannot be taken away now is the next sweep's. */
    const takeAway = async (remains: readonly Remains[]): Promise<void> => {
      for (const one of remains) {
        if (isLate()) return
        await discard(one).catch((error: unknown) =>
          log.warn('remains of an upload not removed', {
            uploadId: one.uploadId,
            error: describeError(error),
          }),
        )
      }
    }

    /** Rows that go, some at a time, and with them what they have in R2. */
    const removeRows = async (tally: Tally, removeSome: () => Promise<Remains[]>): Promise<void> => {
      for (let isFull = true; isFull && !isLate();) {
        const remains = await removeSome()
        add(
          tally,
          remains.map(({ uploadId }) => uploadId),
        )
        await takeAway(remains)
        isFull = remains.length === sweepBatch
      }
    }

    const sweepRows = async (): Promise<void> => {
      if (dryRun) {
        Object.assign(outcome, await sweeps.findRows())
        return
      }
      await removeRows(outcome.stale, sweeps.removeStale)
      await removeRows(outcome.ownerless, sweeps.removeOwnerless)
    }

    const sweepRemains = async (): Promise<void> => {
      let after: string | undefined
      for (let isFull = true; isFull && !isLate();) {
        const remains = await sweeps.remains(after)
        add(
          outcome.remains,
          remains.map(({ uploadId }) => uploadId),
        )
        if (!dryRun) await takeAway(remains)
        after = remains.at(-1)?.uploadId
        isFull = remains.length === sweepBatch
      }
    }

    /** The listing told what was there a moment ago: what seems to be missing is looked for itself. */
    const failMissing = async (missing: readonly Missing[]): Promise<void> => {
      for (const one of missing) {
        if ((await store.head(one.key)) !== undefined) continue
        add(outcome.missing, [one.key])
        if (!dryRun) await sweeps.fail(one)
      }
    }

    const examine = async (span: Span): Promise<void> => {
      const { orphans, missing } = await sweeps.compare(span)
      add(outcome.orphans, orphans)
      if (!dryRun && orphans.length > 0) await store.remove(orphans)
      await failMissing(missing)
    }

    let reached = start

    const sweepObjects = async (prefix: Prefix): Promise<void> => {
      const begun = reached?.prefix === prefix ? reached : undefined
      const spanOf = createSpans(prefix, new Date(now() - oldAge), begun?.from)
      let after = begun?.after
      for (let more = true; more && !isLate();) {
        const page = await store.list(prefix, { after, limit: pageSize })
        outcome.objects += page.objects.length
        const span = spanOf(page.objects, !page.more)
        await examine(span)
        after = page.objects.at(-1)?.key
        more = page.more
        if (after !== undefined) reached = { prefix, after, from: span.before }
      }
    }

    await sweepRows()
    await sweepRemains()
    const first = prefixes.findIndex((prefix) => prefix === start?.prefix)
    for (const prefix of prefixes.slice(Math.max(first, 0))) if (!isLate()) await sweepObjects(prefix)
    return { outcome, reached }
  }

  return {
    /** Goes on where the last one had to stop; one that came to the end of the listing is followed by a new one. */
    async sweep(): Promise<SweepOutcome> {
      const { outcome, reached } = await sweepFrom(false, await place.read())
      await place.write(outcome.isComplete ? undefined : reached)
      return outcome
    },

    async sweepFor(actor: Actor, dryRun: boolean): Promise<SweepOutcome> {
      await sweeps.authorize(actor, requestId, dryRun)
      return (await sweepFrom(dryRun)).outcome
    },
  }
}
