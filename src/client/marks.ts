import type { Mark } from '../chat/protocol.ts'

/** Milliseconds between two reports. */
const interval = 500

/** Who has received and read up to where, and what of our own is still to be reported. Marks never go back. */
export const createMarks = () => {
  const marks = new Map<string, Mark>()
  let delivered = 0
  let read = 0
  let reported = { delivered: 0, read: 0 }
  let self: string | undefined
  let reportedAt = -Infinity

  const raise = ({ userId, delivered: got, read: seen }: Mark) => {
    const known = marks.get(userId)
    marks.set(userId, {
      userId,
      delivered: Math.max(known?.delivered ?? 0, got),
      read: Math.max(known?.read ?? 0, seen),
    })
    if (userId !== self) return
    // By another device of ours: the room has it already.
    read = Math.max(read, seen)
    delivered = Math.max(delivered, got)
    reported = { delivered: Math.max(reported.delivered, got), read: Math.max(reported.read, seen) }
  }

  const isDue = () => delivered > reported.delivered || read > reported.read

  return {
    get read() {
      return read
    },
    of: (userId: string): Mark | undefined => marks.get(userId),
    raise,
    /** What the room knows of us is the beginning of what we report on this connection. */
    begin(all: readonly Mark[], user: string): void {
      self = user
      reported = { delivered: 0, read: 0 }
      for (const mark of all) raise(mark)
    },
    /** Another log begins: its places are other places. */
    forget(): void {
      marks.clear()
      delivered = read = 0
    },
    deliver(seq: number): void {
      delivered = Math.max(delivered, seq)
    },
    see(seq: number): void {
      read = Math.max(read, seq)
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
