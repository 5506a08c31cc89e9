import { setTimeout as sleep } from 'node:timers/promises'
import { createHistogram } from './histogram.ts'
import type { RawSocket } from './raw-socket.ts'

/** How a side says and hears what the bench is about. */
export type Dialect = {
  /** The text that sends a message. */
  send: (clientId: string, content: string) => string
  /** How many acknowledgements a text holds. */
  acks: (bytes: Buffer, from: number, to: number) => number
  /** The text that reports what was delivered: the nth message of the room. */
  report?: (n: number) => string
  /** What a client says now and then to show that it lives. */
  alive?: string
  /** What a text has to be answered, at once. */
  answer: (bytes: Buffer, from: number, to: number) => string | undefined
}

export type RoomRound = {
  perSecond: number
  /** Milliseconds from the sending of a message to its arrival at a member: of all members. */
  p50: number
  p99: number
  deliveries: number
  /** Share of a core that this process, the generator, took. */
  generator: number
}

/** Bytes of a message. */
const size = 64

/** Begins the content of each message, and is nowhere else. */
const mark = Buffer.from('@@')
const digits = 8
const remembered = 2 ** 16

const contentOf = (n: number): string =>
  `@@${String(n).padStart(digits, '0')} `.padEnd(
    size,
    'the quick brown fox jumps over the lazy dog, again and ',
  )

const numberAt = (bytes: Buffer, at: number): number => {
  let n = 0
  for (let i = at; i < at + digits; i++) n = n * 10 + (bytes[i] ?? 0) - 48
  return n
}

const patience = 30_000

/** Milliseconds between two reports of a member: as often as a client may. */
const reportsEvery = 500
const reportShares = 10

/** A room of `members`, the first `writers` of whom send a message as soon as their last one is acknowledged. */
export const createRoomLoad = (dialect: Dialect, writers: number) => {
  const sockets: RawSocket[] = []
  const counts: number[] = []
  /** What each has heard, in its order: two who heard the same have the same. */
  const hashes: number[] = []
  const sentAt = new Float64Array(remembered)
  let histogram = createHistogram()
  let deliveries = 0
  let sent = 0
  let acknowledged = 0
  let isOpen = false
  let lastAt = 0

  const next = (member: number): void => {
    if (!isOpen) return
    const n = sent++
    sentAt[n % remembered] = performance.now()
    sockets[member]?.say(dialect.send(`c${n}`, contentOf(n)))
  }

  /** What member `member` hears. */
  const hear =
    (member: number) =>
    (bytes: Buffer, from: number, to: number): void => {
      const now = performance.now()
      for (let at = bytes.indexOf(mark, from); at >= 0 && at < to; at = bytes.indexOf(mark, at + size)) {
        const n = numberAt(bytes, at + mark.length)
        histogram.add(now - (sentAt[n % remembered] ?? 0))
        counts[member] = (counts[member] ?? 0) + 1
        hashes[member] = (Math.imul(hashes[member] ?? 0, 31) + n) | 0
        deliveries += 1
        lastAt = now
      }
      const answer = dialect.answer(bytes, from, to)
      if (answer !== undefined) sockets[member]?.say(answer)
      if (member >= writers) return
      for (let acks = dialect.acks(bytes, from, to); acks > 0; acks--) {
        acknowledged += 1
        next(member)
      }
    }

  let turn = 0

  /** A part of the members in turn, as clients that know nothing of each other. */
  const report = (): void => {
    turn += 1
    for (const [member, socket] of sockets.entries()) {
      if (member % reportShares !== turn % reportShares) continue
      const text = dialect.report?.(counts[member] ?? 0)
      if (text !== undefined) socket.say(text)
    }
  }

  const drained = async (): Promise<void> => {
    const isDone = () => acknowledged === sent && counts.every((count) => count === sent)
    for (const deadline = Date.now() + patience; !isDone(); await sleep(5)) {
      const ended = sockets.map((socket) => socket.ended()).find((why) => why !== undefined)
      if (ended !== undefined) throw new Error(`A member of the room was ${ended}`)
      if (Date.now() > deadline) throw new Error(`Of ${sent} messages a member has ${Math.min(...counts)}`)
    }
    if (new Set(hashes).size !== 1) throw new Error('Two members heard the same in another order')
  }

  return {
    hear,

    add(socket: RawSocket): void {
      sockets.push(socket)
      counts.push(0)
      hashes.push(0)
    },

    /** Every message has to have come to everyone, in one order. `reports`: members say so twice a second. */
    async round(seconds: number, { reports = false } = {}): Promise<RoomRound> {
      const before = deliveries
      histogram = createHistogram()
      if (dialect.alive !== undefined) for (const socket of sockets) socket.say(dialect.alive)
      isOpen = true
      const cpu = process.cpuUsage()
      const began = performance.now()
      for (let member = 0; member < writers; member++) next(member)
      const reporting = reports ? setInterval(report, reportsEvery / reportShares) : undefined
      await sleep(seconds * 1_000)
      clearInterval(reporting)
      isOpen = false
      await drained()
      const { user, system } = process.cpuUsage(cpu)
      const elapsed = lastAt - began
      return {
        perSecond: ((deliveries - before) / elapsed) * 1_000,
        p50: histogram.quantile(0.5),
        p99: histogram.quantile(0.99),
        deliveries: deliveries - before,
        generator: (user + system) / 1_000 / elapsed,
      }
    },

    close(): void {
      for (const socket of sockets) socket.close()
    },
  }
}

export type RoomLoad = ReturnType<typeof createRoomLoad>
