import type { Bench, Context } from '../context.ts'
import { show, showMedian, showRatio } from '../format.ts'
import { encode, runLoad } from '../load.ts'
import { createOrders, productEnv } from '../product.ts'
import { inRounds } from '../rounds.ts'
import type { Aim, Table } from '../section.ts'
import { createGroups, type Group } from '../shapes.ts'
import { quantile, ratio } from '../statistics.ts'
import { startWorker } from '../workerd.ts'

const connections = 2

/** Of each shape in a round. */
const requests = 60

const aimed = 1.5

/** Latencies of one round, by shape. */
const roundOf = async (port: number, { shapes, status }: Group) => {
  const found: { name: string; inMix: boolean; latencies: number[] }[] = []
  for (const { name, next, aside } of shapes) {
    const load = { port, connections, requests, seconds: 20, status, next: () => encode(next()) }
    const { latencies } = await runLoad(load)
    found.push({ name, inMix: aside === undefined, latencies })
  }
  return found
}

type Round = Awaited<ReturnType<typeof roundOf>>

/** A size of the catalogue with its own Worker. */
const openSize = async ({ builds, databases }: Context, size: number) => {
  const catalogue = await databases.catalogue(size)
  const orders = await createOrders(catalogue)
  const { port, stop } = await startWorker(
    await builds.of('selvedge'),
    productEnv(catalogue.url, catalogue.endpoint),
  )
  return {
    ...{ size, stop },
    groups: createGroups(size, orders.next),
    async round(group: Group): Promise<Round> {
      await orders.renewToken()
      return await roundOf(port, group)
    },
  }
}

type Size = Awaited<ReturnType<typeof openSize>>

const p95 = (latencies: number[]): number => quantile(latencies, 0.95)

const mixOf = (round: Round): number[] => round.flatMap(({ inMix, latencies }) => (inMix ? latencies : []))

const inThousands = (size: number): string => size.toLocaleString('en')

const measureGroup = async (
  rounds: number,
  sizes: Size[],
  at: number,
): Promise<{ table: Table; aim: Aim }> => {
  const contenders = Object.fromEntries(
    sizes.flatMap(({ size, groups, round }) => {
      const group = groups[at]
      return group === undefined ? [] : [[`${size} products`, () => round(group)] as const]
    }),
  )
  await inRounds(1, contenders) // to warm up
  const samples = Object.values(await inRounds(rounds, contenders))
  const p95s = (pick: (round: Round) => number[]) => samples.map((of) => of.map((round) => p95(pick(round))))
  const growth = (pick: (round: Round) => number[]) => {
    const all = p95s(pick)
    return ratio(all.at(-1) ?? [], all[0] ?? [])
  }
  const row = (title: string, pick: (round: Round) => number[]): string[] => [
    title,
    ...p95s(pick).map((each) => showMedian(each, 'ms')),
    showRatio(growth(pick)),
  ]
  const [name, shapes] = [sizes[0]?.groups[at]?.name ?? '', samples[0]?.[0] ?? []]
  const { value } = growth(mixOf)
  const ends = [sizes[0], sizes.at(-1)].map((size) => inThousands(size?.size ?? 0)).join(' to ')
  return {
    table: {
      head: [`${name}, p95`, ...sizes.map(({ size }) => inThousands(size)), 'last / first'],
      rows: [
        row('**all of them**', mixOf),
        ...shapes.map((shape) =>
          row(`${shape.name}${shape.inMix ? '' : ' (not counted above)'}`, (round) =>
            round.flatMap((each) => (each.name === shape.name ? each.latencies : [])),
          ),
        ),
      ],
      meaning: `How much longer the slowest twentieth of ${name.toLowerCase()} requests takes in a larger shop.`,
    },
    aim: {
      text: `${name.toLowerCase()}, p95 grows by at most ${aimed} from ${ends} products: ${show(value)}`,
      met: value <= aimed,
      ...whys[at],
    },
  }
}

const whyCount = `By EXPLAIN ANALYZE it is the total: rows are counted up to 10,000, and a shop of a thousand has none to count`

const whySearch = `By EXPLAIN ANALYZE it is the count of what matches, up to 10,000 for the total and up to 2,000 to choose the way of
  sorting: a search of three common words reads half a million entries of the index and as many rows as it counts`

/** Of a group, by its place: where the time goes when it grows too much. */
const whys: Partial<Aim>[] = [{ otherwise: whyCount }, { otherwise: whySearch }, {}]

const run: Bench['run'] = async (context) => {
  const { version, buffers } = await context.databases.settings()
  const sizes: Size[] = []
  const tables: Table[] = []
  const aims: Aim[] = []
  try {
    for (const size of context.sizes) sizes.push(await openSize(context, size))
    for (const at of sizes[0]?.groups.keys() ?? []) {
      const { table, aim } = await measureGroup(context.rounds, sizes, at)
      tables.push(table)
      aims.push(aim)
      context.log(`${aim.text}\n${table.rows.map((row) => row.join('  ')).join('\n')}`)
    }
  } finally {
    for (const { stop } of sizes) await stop()
  }
  return {
    title: 'From a thousand products to a million',
    method: `PostgreSQL ${version} with its default settings (shared_buffers ${buffers}) except that nothing is synced to
      disk, Neon's protocol in front of it, ${context.rounds} rounds of ${requests} requests of each kind and size in turn
      over ${connections} connections, after one round to warm up. Milliseconds at the client: median of the rounds' p95;
      the ratio is that of the medians, in brackets the extremes of single rounds.`,
    tables,
    aims,
  }
}

export const scaleBench: Bench = {
  ...{ name: 'scale', about: 'list, search and order with more and more products' },
  run,
}
