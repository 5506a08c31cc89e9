import type { Bench, Context } from '../context.ts'
import { show, showRatio } from '../format.ts'
import { encode, runLoad, type Call } from '../load.ts'
import { createOrders, productEnv, type Orders } from '../product.ts'
import { recordReplies } from '../recording.ts'
import { inRounds } from '../rounds.ts'
import { median, ratio, type Ratio } from '../statistics.ts'
import { startWorker, type Worker } from '../workerd.ts'

/** Rounds to warm up: optimised code is what an isolate that serves anybody runs. */
const warmUps = 3

const rivals = {
  bare: 'bare Hono, the same bytes',
  calling: 'bare Hono, the same bytes after the same call to the database',
  stack: 'Hono with its own requestId, secureHeaders, cors and one JSON log line',
}

type Rival = keyof typeof rivals

type Route = {
  title: string
  connections: number
  status?: number
  against: Rival[]
  call: (orders: Orders) => Call
}

const get = (path: string): Call => ({ method: 'GET', path })

const health: Route = {
  ...{ title: '`GET /health`', connections: 16, against: ['bare', 'stack'] },
  call: () => get('/health'),
}

const routes: Route[] = [
  health,
  {
    ...{ title: '`GET /health` from a page of another origin', connections: 16, against: ['stack'] },
    call: () => ({ ...get('/health'), origin: 'https://shop.example.com' }),
  },
  {
    ...{ title: '`GET /`, which the limiter counts', connections: 16, against: ['stack'] },
    call: () => get('/'),
  },
  {
    ...{ title: '`GET /api/v1/products/{slug}`', connections: 16, against: ['bare', 'calling'] },
    call: ({ slug }) => get(`/api/v1/products/${slug}`),
  },
  {
    ...{ title: '`GET /api/v1/products?limit=20`', connections: 8, against: ['bare', 'calling'] },
    call: () => get('/api/v1/products?limit=20'),
  },
  {
    ...{ title: '`POST /api/v1/orders`, two lines', connections: 8, against: ['bare', 'calling'] },
    ...{ status: 201, call: ({ next }) => next(2) },
  },
]

const openWorkers = async (context: Context, orders: Orders): Promise<Record<Rival | 'selvedge', Worker>> => {
  const { builds, databases } = context
  const { url, endpoint } = await databases.catalogue(1_000)
  const calls = { detail: get(`/api/v1/products/${orders.slug}`), list: get('/api/v1/products?limit=20') }
  const recorded = await recordReplies(context, { ...calls, order: orders.next(2) })
  const [selvedge, bare, stack] = [
    await builds.of('selvedge'),
    await builds.of('bare'),
    await builds.of('stack'),
  ]
  return {
    selvedge: await startWorker(selvedge, productEnv(url, endpoint)),
    bare: await startWorker(bare, { ...recorded, CALLS: '{}' }),
    calling: await startWorker(bare, recorded),
    stack: await startWorker(stack, {}),
  }
}

/** Microseconds of CPU are those of a request. */
type Sample = { perSecond: number; cpuUs: number; generatorUs: number }

const measureRoute = async (
  { rounds, seconds }: Context,
  workers: Record<Rival | 'selvedge', Worker>,
  { connections, status = 200, against, call }: Route,
  orders: Orders,
) => {
  await orders.renewToken()
  const sample = async ({ port, cpuMs }: Worker): Promise<Sample> => {
    const before = cpuMs()
    const next = () => encode(call(orders))
    const { latencies, ...load } = await runLoad({ port, connections, seconds, status, next })
    const cpuUs = ((cpuMs() - before) / latencies.length) * 1_000
    return { perSecond: load.perSecond, cpuUs, generatorUs: load.generatorMs * 1_000 }
  }
  const names = ['selvedge', ...against] as const
  const contenders = Object.fromEntries(names.map((name) => [name, () => sample(workers[name])]))
  await inRounds(warmUps, contenders)
  const samples = await inRounds(rounds, contenders)
  return (name: Rival | 'selvedge', what: keyof Sample): number[] =>
    (samples[name] ?? []).map((each) => each[what])
}

const why = `By workerd's profiler a quarter of the request is the log line (console.log itself, LogTape's record, two nets
  of redaction), a tenth the headers, a twentieth each the ids and trace, the services of the request and its Response; the
  rest is spread over twelve layers of middleware where the other has four`

const run: Bench['run'] = async (context) => {
  const orders = await createOrders(await context.databases.catalogue(1_000))
  const workers = await openWorkers(context, orders)
  const rows: string[][] = []
  const generator: number[] = []
  let healthAgainstStack: Ratio | undefined
  try {
    for (const route of routes) {
      const of = await measureRoute(context, workers, route, orders)
      for (const rival of route.against) {
        const perSecond = ratio(of('selvedge', 'perSecond'), of(rival, 'perSecond'))
        const cpu = ratio(of(rival, 'cpuUs'), of('selvedge', 'cpuUs'))
        const microseconds = [of('selvedge', 'cpuUs'), of(rival, 'cpuUs')].map((each) => show(median(each)))
        const row = [
          route.title,
          rivals[rival],
          showRatio(perSecond),
          showRatio(cpu),
          microseconds.join(' / '),
        ]
        context.log(row.join('  '))
        rows.push(row)
        generator.push(median(of(rival, 'generatorUs')) / median(of(rival, 'cpuUs')))
        if (route === health && rival === 'stack') healthAgainstStack = cpu
      }
    }
  } finally {
    for (const { stop } of Object.values(workers)) await stop()
  }
  const value = healthAgainstStack?.value ?? NaN
  return {
    title: 'Routes against bare Hono',
    method: `${context.rounds} rounds of ${context.seconds} s in turn, after ${warmUps} to warm up; 8 or 16 kept connections,
      64 client addresses; PostgreSQL with 1,000 products; limits on, and too high to be reached. The generator is a
      process of its own that writes bytes and reads to the end of the reply: a request costs it at most
      ${Math.round(Math.max(...generator) * 100)} % of the CPU that it costs the rival Worker, so it is not what is measured.`,
    tables: [
      {
        head: ['Route', 'Against', 'Requests a second', 'CPU', 'µs of CPU, Selvedge / other'],
        rows,
        meaning: `Ratios above 1 are for Selvedge; in brackets the extremes of single rounds. Requests a second include what
          the limiter's object and the database make a request wait for. CPU is time of the workerd process for a request:
          one isolate runs on one thread, so this is what bounds it, and it hardly depends on what else the machine does.
          The distance to bare Hono is what validation, limits, authentication, SQL, logs and headers cost; the row with
          the same call to the database leaves that call out of it. There the rival repeats one order, whose products are
          locked again and again: of orders only the CPU can be compared.`,
      },
    ],
    aims: [
      {
        text: `\`/health\` costs no more CPU than in Hono with its own middleware: ${show(value)}, to be at least 1`,
        met: value >= 1,
        otherwise: why,
      },
    ],
  }
}

export const routesBench: Bench = {
  ...{ name: 'routes', about: '/health, detail, list and order against bare Hono' },
  run,
}
