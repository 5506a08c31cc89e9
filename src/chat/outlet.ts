import { limits } from './protocol.ts'

/** What must survive sleep of an account of what a socket was sent and has read. */
export type OutletState = {
  /** Bytes in all. */
  sent: number
  /** `sent` up to which the socket has told that it reads. */
  heard: number
  /** The questions that are open, oldest first: number, and `sent` when it was asked. */
  asked: readonly (readonly [n: number, at: number])[]
  n: number
}

const freshOutlet: OutletState = { sent: 0, heard: 0, asked: [], n: 0 }

/**
 * Flow control of one socket: the runtime takes whatever is sent and keeps it in memory until the reader has it, so that
 * the reader has to be asked. After each 256 KB a `flow` goes out; what is unanswered when 1 MB more was sent is a
 * reader that does not read.
 */
export const createOutlet = (from: OutletState = freshOutlet) => {
  let { sent, heard, asked, n } = from
  const lastAsked = (): number => asked.at(-1)?.[1] ?? heard

  return {
    /** After `bytes` were sent: the number of a `flow` that is to follow them, or that it is too late. */
    sent(bytes: number): number | 'slow' | undefined {
      sent += bytes
      const [oldest] = asked
      if (oldest !== undefined && sent - oldest[1] > limits.unanswered) return 'slow'
      if (sent - lastAsked() < limits.flow) return undefined
      n += 1
      asked = [...asked, [n, sent]]
      return n
    },

    answered(number: number): void {
      const answer = asked.findLast(([one]) => one <= number)
      if (answer === undefined) return
      heard = answer[1]
      asked = asked.filter(([one]) => one > number)
    },

    /** Whether the reader keeps up: what can wait (an old part of the log) does. */
    isOpen: (): boolean => asked.length === 0,

    /** Bytes that were sent in all. */
    total: (): number => sent,

    state: (): OutletState => ({ sent, heard, asked, n }),
  }
}

export type Outlet = ReturnType<typeof createOutlet>
