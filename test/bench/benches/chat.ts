import manifest from '../../../package.json' with { type: 'json' }
import { openLogs } from '../chat/long-log.ts'
import type { RoomRound } from '../chat/room-load.ts'
import { createPeople, openRoom as openSelvedgeRoom, startSelvedge } from '../chat/selvedge.ts'
import { openRoom as openSocketIoRoom, startSocketIo } from '../chat/socket-io.ts'
import type { Bench, Context } from '../context.ts'
import { show, showMedian, showRatio } from '../format.ts'
import { inRounds } from '../rounds.ts'
import type { Aim, Table } from '../section.ts'
import { median, quantile, ratio } from '../statistics.ts'
import { cpuMsOf } from '../workerd.ts'

const sizes = [10, 100, 300]
const writers = 16
/** Times socket.io's deliveries, in rooms of this size and above. */
const aimed = 1.5
const aimedFrom = 100

const lengths = [1_000, 1_000_000]
const aimedGrowth = 1.3

type Sample = RoomRound & { /** Microseconds of the server's CPU. */ cpuUs: number }

type Samples = Record<'selvedge' | 'socketIo' | 'reporting', Sample[]>

const measureRooms = async (context: Context): Promise<Map<number, Samples>> => {
  const { rounds, seconds, log } = context
  const selvedge = await startSelvedge(context)
  const rival = await startSocketIo()
  const measured = new Map<number, Samples>()
  try {
    const people = await createPeople(selvedge.client, Math.max(...sizes))
    for (const size of sizes) {
      const active = Math.min(writers, size)
      const own = await openSelvedgeRoom(selvedge, people.slice(0, size), active)
      const other = await openSocketIoRoom(rival.port, size, active)
      const sample = async (cpuMs: () => number, round: () => Promise<RoomRound>): Promise<Sample> => {
        const before = cpuMs()
        const result = await round()
        return { ...result, cpuUs: ((cpuMs() - before) / result.deliveries) * 1_000 }
      }
      const contenders = {
        selvedge: () => sample(selvedge.worker.cpuMs, () => own.round(seconds)),
        socketIo: () =>
          sample(
            () => cpuMsOf(rival.pid),
            () => other.round(seconds),
          ),
        reporting: () => sample(selvedge.worker.cpuMs, () => own.round(seconds, { reports: true })),
      }
      await inRounds(1, contenders) // to warm up
      measured.set(size, await inRounds(rounds, contenders))
      own.close()
      other.close()
      log(`a room of ${size}: measured`)
    }
  } finally {
    await selvedge.worker.stop()
    rival.stop()
  }
  return measured
}

const of = (samples: Sample[], what: keyof Sample): number[] => samples.map((sample) => sample[what])

const roomTable = (measured: Map<number, Samples>): Table => {
  const row = (size: number, samples: Samples, name: 'selvedge' | 'reporting'): string[] => {
    const [own, other] = [samples[name], samples.socketIo]
    return [
      name === 'selvedge' ? String(size) : `${size}, all reporting`,
      [own, other].map((each) => showMedian(of(each, 'perSecond'), '')).join('/ '),
      showRatio(ratio(of(own, 'perSecond'), of(other, 'perSecond'))),
      [own, other].map((each) => show(median(of(each, 'p50')))).join(' / '),
      [own, other].map((each) => show(median(of(each, 'p99')))).join(' / '),
      showRatio(ratio(of(other, 'p99'), of(own, 'p99'))),
      [own, other].map((each) => show(median(of(each, 'cpuUs')))).join(' / '),
      showRatio(ratio(of(other, 'cpuUs'), of(own, 'cpuUs'))),
    ]
  }
  return {
    head: [
      'Members',
      'deliveries a second',
      'ratio',
      'p50, ms',
      'p99, ms',
      'shorter p99',
      'µs of CPU a delivery',
      'less CPU',
    ],
    rows: [...measured].flatMap(([size, samples]) => [
      row(size, samples, 'selvedge'),
      row(size, samples, 'reporting'),
    ]),
    meaning: `Selvedge / socket.io; ratios above 1 are for Selvedge, in brackets the extremes of single rounds. A delivery is
      one message at one member; p50 and p99 are from its sending to that, of all members. "All reporting": every member of
      Selvedge's room also says \`delivered\` twice a second, as its client does, and the authors are told; socket.io's
      members say nothing. Of a batch a room makes one text and sends each member one frame, so that it gains with every
      member; in a room of ten there is little to gain, and by workerd's profiler three tenths of its CPU is SQLite (looking
      up the clientId, inserting, committing), which is what it needs more than socket.io. In a room of 300 nearly all of it is
      the platform's way from \`send()\` to the network.`,
  }
}

const roomAims = (measured: Map<number, Samples>): Aim[] =>
  [...measured].flatMap(([size, { selvedge, socketIo }]) => {
    if (size < aimedFrom) return []
    const { value } = ratio(of(selvedge, 'perSecond'), of(socketIo, 'perSecond'))
    const text = `with ${size} members at least ${aimed} times the deliveries of socket.io, every message stored: ${show(value)}`
    return [{ text, met: value >= aimed }]
  })

const questions = [
  ['a page of history', 'page', 200],
  ['resuming 1,000 events', 'resume', 40],
] as const

type Logs = Awaited<ReturnType<typeof openLogs>>['logs']

/** One question to each log in turn, so many times; by size of the log, the times of a round. */
const askEach = async (
  logs: Logs,
  what: 'page' | 'resume',
  count: number,
): Promise<Map<number, number[]>> => {
  const taken = await inRounds(
    count,
    Object.fromEntries(logs.map((log): [string, () => Promise<number>] => [String(log.size), log[what]])),
  )
  return new Map(logs.map(({ size }) => [size, taken[String(size)] ?? []]))
}

const measureLogs = async (context: Context): Promise<{ table: Table; aims: Aim[] }> => {
  const { logs, stop } = await openLogs(context, lengths)
  const rows: string[][] = []
  const aims: Aim[] = []
  try {
    for (const [title, what, count] of questions) {
      await askEach(logs, what, count) // to warm up
      const { asked } = await inRounds(context.rounds, { asked: () => askEach(logs, what, count) })
      for (const share of [0.5, 0.95]) {
        const each = lengths.map((size) => asked.map((round) => quantile(round.get(size) ?? [], share)))
        const [short = [], long = []] = each
        const growth = ratio(long, short)
        const name = `${title}, p${share * 100}`
        rows.push([name, ...each.map((one) => showMedian(one, 'ms')), showRatio(growth)])
        aims.push({
          text: `${name}: at most ${aimedGrowth} times as long with a million messages as with a thousand: ${show(growth.value)}`,
          met: growth.value <= aimedGrowth,
        })
      }
    }
  } finally {
    await stop()
  }
  const head = ['', ...lengths.map((size) => `${size.toLocaleString('en')} messages`), 'last / first']
  const meaning = `How much longer a part of a long log takes: pages of 100 messages from anywhere in it, and the last thousand
    for somebody who was away.`
  return { table: { head, rows, meaning }, aims }
}

const run: Bench['run'] = async (context) => {
  const { rounds, seconds } = context
  const measured = await measureRooms(context)
  const generator = Math.max(
    ...[...measured.values()].flatMap((samples) =>
      Object.values(samples).flatMap((all) => of(all, 'generator')),
    ),
  )
  const logs = await measureLogs(context)
  return {
    title: 'Conversations',
    method: `One room; ${writers} writers (in a room of 10 all of them) with one message of 64 bytes in flight each: the next goes
      out at the acknowledgement of the last. Selvedge is the product with its handshakes, members in PostgreSQL, presence and
      lists; every message is in the room's SQLite before it is acknowledged (no disk is synced, as in all benches), members
      asked for batches, and \`chat.send\` is lifted by LIMITS. socket.io ${manifest.devDependencies['socket.io']} is a Node process with a room and
      acknowledgements as its documents show, WebSocket only, which sends the same fields and keeps nothing. ${rounds} rounds
      of ${seconds} s in turn after one to warm up. Both are spoken to by the same raw sockets (masked frames, no library), that
      find each message in what came and count it; a round fails unless every member has had every message, and all in
      the same order. The generator is a process of its own and took at most ${Math.round(generator * 100)} % of a core. Long
      logs: the file of a room that the product made is filled with rows while nobody has it open; one member asks
      each of them in turn, ${rounds} rounds of ${questions.map(([, what, count]) => `${count} ${what}s`).join(' and ')}.`,
    tables: [roomTable(measured), logs.table],
    aims: [...roomAims(measured), ...logs.aims],
  }
}

export const chatBench: Bench = {
  ...{ name: 'chat', about: 'deliveries of a room against socket.io, and long logs' },
  run,
}
