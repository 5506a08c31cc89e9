import type { Bench, Context } from '../context.ts'
import { show, showMedian } from '../format.ts'
import { encode, runLoad } from '../load.ts'
import { createOrders, productEnv } from '../product.ts'
import { inRounds } from '../rounds.ts'
import { median, quantile } from '../statistics.ts'
import { startWorker, type Worker } from '../workerd.ts'

/** Milliseconds of a round trip to the database. */
const distances = [0, 10, 50]

const requests = 40

const aimed = 1.2

const openWorker = async ({ builds, servers, databases }: Context, distance: number): Promise<Worker> => {
  const { url, endpoint } = await databases.catalogue(1_000)
  return await startWorker(
    await builds.of('selvedge'),
    productEnv(url, await servers.distance(endpoint, distance)),
  )
}

const run: Bench['run'] = async (context) => {
  const orders = await createOrders(await context.databases.catalogue(1_000))
  const order = async ({ port }: Worker) => {
    await orders.renewToken()
    const next = () => encode(orders.next(2))
    const { latencies } = await runLoad({ port, connections: 1, requests, seconds: 30, status: 201, next })
    return { p50: median(latencies), p95: quantile(latencies, 0.95) }
  }
  const workers: Worker[] = []
  try {
    for (const distance of distances) workers.push(await openWorker(context, distance))
    const contenders = workers.map((worker, n) => [`${distances[n]} ms`, () => order(worker)] as const)
    await inRounds(3, Object.fromEntries(contenders)) // to warm up
    const rounds = Object.values(await inRounds(context.rounds, Object.fromEntries(contenders)))
    const p50 = rounds.map((samples) => samples.map((sample) => sample.p50))
    const p95 = rounds.map((samples) => samples.map((sample) => sample.p95))
    const local = median(p50[0] ?? [])
    const trips = distances.map((distance, n) => (median(p50[n] ?? []) - local) / distance).slice(1)
    return {
      title: 'One round trip to the database',
      method: `Placing an order of two lines while a proxy before Neon's endpoint holds back every call for the time of a
        round trip; ${context.rounds} rounds of ${requests} orders for each distance in turn, after three to warm up, one
        order after the other on one connection. Milliseconds at the client, medians of the rounds.`,
      tables: [
        {
          head: ['Round trip', 'p50', 'p95', 'round trips above the local cost'],
          rows: distances.map((distance, n) => [
            `${distance} ms`,
            showMedian(p50[n] ?? [], 'ms'),
            showMedian(p95[n] ?? [], 'ms'),
            n === 0 ? '' : `**${show(trips[n - 1] ?? NaN)}**`,
          ]),
          meaning: `What is above the local cost (a distance of 0), in round trips, says how often an order goes to the
            database: once, with all of its checks and writes.`,
        },
      ],
      aims: [
        {
          text: `an order costs at most ${aimed} round trips above the local cost: ${trips.map(show).join(' and ')}`,
          met: trips.every((trip) => trip <= aimed),
        },
      ],
    }
  } finally {
    for (const { stop } of workers) await stop()
  }
}

export const distanceBench: Bench = {
  ...{ name: 'distance', about: 'order placement far from the database' },
  run,
}
