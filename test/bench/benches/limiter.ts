import type { Bench } from '../context.ts'
import { show, showMedian, showRatio } from '../format.ts'
import { encode, runLoad } from '../load.ts'
import { inRounds } from '../rounds.ts'
import { quantile, ratio } from '../statistics.ts'
import { startWorker, type Worker } from '../workerd.ts'

const connections = 16

/** Addresses that ask in turn. */
const keys = 64

const aimed = 2

const measure = async ({ port }: Worker, seconds: number) => {
  let n = 0
  const next = () => encode({ method: 'GET', path: `/ip:192.0.2.${n++ % keys}` })
  const { latencies, perSecond } = await runLoad({ port, connections, seconds, next })
  return { perSecond, p99: quantile(latencies, 0.99) }
}

const why = `By workerd's profiler most of a decision is the platform's call from the Worker to the object and a seventh its
  storage; the window itself takes a twenty-fifth`

const run: Bench['run'] = async ({ builds, servers, rounds, seconds }) => {
  const build = await builds.of('limiter')
  const { restUrl, token, kind } = await servers.redis()
  const workers: Worker[] = []
  const start = async (store: string): Promise<Worker> => {
    const worker = await startWorker(build, { STORE: store, URL: restUrl, TOKEN: token })
    workers.push(worker)
    return worker
  }
  try {
    const [objects, upstash] = [await start('objects'), await start('upstash')]
    const contenders = {
      objects: () => measure(objects, seconds),
      upstash: () => measure(upstash, seconds),
    }
    await inRounds(2, contenders) // to warm up
    const samples = await inRounds(rounds, contenders)
    const of = (name: keyof typeof contenders, what: 'perSecond' | 'p99') =>
      samples[name].map((sample) => sample[what])
    const faster = ratio(of('objects', 'perSecond'), of('upstash', 'perSecond'))
    const sooner = ratio(of('upstash', 'p99'), of('objects', 'p99'))
    const row = (title: string, what: 'perSecond' | 'p99', unit: string, how: typeof faster) => [
      title,
      showMedian(of('objects', what), unit),
      showMedian(of('upstash', what), unit),
      showRatio(how),
    ]
    return {
      title: 'Decisions of the limiter',
      method: `A Worker that does nothing but ask the product's store for one point: a Durable Object for each address, which
        stores every admission before it answers, or \`@upstash/ratelimit\` (sliding window) over the local cloud's REST endpoint
        in front of ${kind === 'server' ? 'a redis-server' : 'the embedded Redis'}. ${keys} addresses, ${connections}
        connections, ${rounds} rounds of ${seconds} s in turn after two to warm up; every decision admits, and like Redis the
        object syncs to no disk.`,
      tables: [
        {
          head: ['', 'Durable Object', '`@upstash/ratelimit`', 'how much better'],
          rows: [
            row('decisions a second', 'perSecond', '/s', faster),
            row('p99 of a decision', 'p99', 'ms', sooner),
          ],
          meaning: `What a limit adds to a request when nothing else is far away. Upstash's own servers are faster than this
            endpoint, but they are a network away: no decision there is ever this near.`,
        },
      ],
      aims: [
        {
          text: `the object decides at least ${aimed} times as often a second: ${show(faster.value)}`,
          met: faster.value >= aimed,
          otherwise: why,
        },
        {
          text: `its p99 is at most 1/${aimed} of the other's: ${show(sooner.value)} times shorter`,
          met: sooner.value >= aimed,
          otherwise: why,
        },
      ],
    }
  } finally {
    for (const { stop } of workers) await stop()
  }
}

export const limiterBench: Bench = {
  name: 'limiter',
  about: 'decisions of the limiter, object or Redis',
  run,
}
