import type { ClientFrame } from '../chat/protocol.ts'

type Change = Extract<ClientFrame, { type: 'send' | 'edit' | 'remove' }>

export type Job = {
  key: string
  frame: Change
  /** How often it was sent on this connection. */
  tries: number
  /** Milliseconds: not before then is it sent, or sent again. */
  dueAt: number
}

/** Milliseconds until an unanswered frame is sent again; the room answers a repetition as it did the first. */
const patience = (tries: number): number => Math.min(20_000, 5_000 * 2 ** (tries - 1))

/**
 * What is to be changed in the room, in order. One change is under way at a time: the answer to it decides about those
 * after it, so that a message which has to wait (RATE_LIMITED) is never overtaken by the next.
 */
export const createOutbox = () => {
  const jobs: Job[] = []

  return {
    get jobs(): readonly Job[] {
      return jobs
    },
    add(key: string, frame: Change): void {
      jobs.push({ key, frame, tries: 0, dueAt: 0 })
    },
    /** The frame that is to be sent now. */
    next(now: number): ClientFrame | undefined {
      const [first] = jobs
      if (first === undefined || first.dueAt > now) return undefined
      first.tries += 1
      first.dueAt = now + patience(first.tries)
      return first.frame
    },
    dueAt: (): number | undefined => jobs[0]?.dueAt,
    /** The connection is gone, and with it perhaps frame or answer. */
    disconnect(): void {
      const [first] = jobs
      if (first !== undefined && first.tries > 0) Object.assign(first, { tries: 0, dueAt: 0 })
    },
    /** Nothing was written: the first is tried again then. */
    postpone(job: Job, until: number): void {
      Object.assign(job, { tries: 0, dueAt: until })
    },
    find: (matches: (frame: Change) => boolean): Job | undefined => jobs.find(({ frame }) => matches(frame)),
    remove(job: Job): void {
      jobs.splice(jobs.indexOf(job), 1)
    },
  }
}
