import type { Mark } from '../chat/protocol.ts'

/** Milliseconds between two reports. */
const interval = 500

/** Who has received and read up to where, and what of our own is still to be reported. Marks never go back. */
export const createMarks = () => {
  const marks = new Map<string, Mark>()
  let delivered = 0
  let read = 0
  let reported = { delivered: 0, read: 0 }
  let reportedAt = -Infinity

  const raise = ({ userId, delivered: got, read: seen }: Mark) => {
    const known = marks.get(userId)
    marks.set(userId, {
      userId,
      delivered: Math.max(known?.delivered ?? 0, got),
      read: Math.max(known?.read ?? 0, seen),
    })
  }

  const isDue = () => delivered > reported.delivered || read > reported.read

  return {
    get all(): readonly Mark[] {
      return [...marks.values()]
    },
    get read() {
      return read
    },
    of: (userId: string): Mark | undefined => marks.get(userId),
    raise,
    /** What the room knows of us is the beginning of what we report on this connection. */
    begin(all: readonly Mark[], self: string): void {
      for (const mark of all) raise(mark)
      const own = all.find(({ userId }) => userId === self)
      reported = { delivered: own?.delivered ?? 0, read: own?.read ?? 0 }
      read = Math.max(read, reported.read)
      delivered = Math.max(delivered, reported.delivered)
    },
    /** Another log begins: its places are other places. */
    forget(): void {
      marks.clear()
      delivered = read = 0
    },
    deliver(seq: number): void {
      delivered = Math.max(delivered, seq)
    },
    /** Whether that is news. */
    see(seq: number): boolean {
      if (seq <= read) return false
      read = seq
      return true
    },
    dueAt: (): number | undefined => (isDue() ? reportedAt + interval : undefined),
    /** The frames that are to be sent now: read implies delivered. */
    report(now: number) {
      if (!isDue() || now < reportedAt + interval) return []
      reportedAt = now
      const frames: { type: 'delivered' | 'read'; seq: number }[] = []
      if (read > reported.read) {
        frames.push({ type: 'read', seq: read })
        reported = { delivered: Math.max(reported.delivered, read), read }
      }
      if (delivered > reported.delivered) {
        frames.push({ type: 'delivered', seq: delivered })
        reported = { ...reported, delivered }
      }
      return frames
    },
  }
}
