import { Cron } from 'croner'
import type { Job } from './catalog.ts'

type Schedule = {
  name: string
  /** In UTC. */
  cron: string
  /** The job of one moment of the schedule. */
  job: (moment: Date) => Job
}

/** Missed moments of a schedule that are caught up, at most. */
const maxMissed = 7

const dayBefore = (moment: Date): string => new Date(moment.getTime() - 86_400_000).toISOString().slice(0, 10)

const schedules: readonly Schedule[] = [
  {
    name: 'report.daily',
    cron: '0 2 * * *',
    job: (moment) => ({ type: 'report.daily', payload: { day: dayBefore(moment) } }),
  },
]

/** A moment of a schedule; the key is the same whoever looks, and whenever. */
export type DueSlot = { key: string; schedule: string } & Job

/** The last moments that have come, of each schedule, up to and with `now`. */
export const dueSlots = (now: Date, of = schedules): DueSlot[] =>
  of.flatMap(({ name, cron, job }) => {
    // Up to and with: a moment that is now has come.
    const next = new Date(now.getTime() + 1_000)
    return new Cron(cron, { paused: true, timezone: 'UTC', mode: '5-part' })
      .previousRuns(maxMissed, next)
      .map((moment) => ({ ...job(moment), schedule: name, key: `${name} ${moment.toISOString()}` }))
  })
