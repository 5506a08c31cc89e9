import { createSecrets } from '../../../src/api-keys/secret.ts'
import { newId } from '../../../src/shared/ids.ts'
import type { Bench, Context } from '../context.ts'
import { show, showRatio } from '../format.ts'
import { encode, runLoad, type Call } from '../load.ts'
import { createOrders, productEnv } from '../product.ts'
import { recordReplies } from '../recording.ts'
import { inRounds } from '../rounds.ts'
import { median, ratio } from '../statistics.ts'
import { startWorker, type Worker } from '../workerd.ts'

const warmUps = 2

/** Keys that send in turn: one object serves about a thousand requests a second, and no program waits for another's. */
const programs = 32

/** Keys of the catalogue's first customer, as rows. */
const makeKeys = async (context: Context, tokenSecret: string): Promise<string[]> => {
  const { client } = await context.databases.catalogue(1_000)
  const secrets = createSecrets(tokenSecret, { isProduction: false })
  const made = Array.from({ length: programs }, () => secrets.make(newId()))
  for (const { keyId, hash } of made) {
    await client.query(
      `insert into api_keys (id, user_id, name, scopes, role, secret_hash)
        select $1, user_id, 'bench', array['products:read'], 'user', decode($2, 'hex') from sessions order by id limit 1`,
      [keyId, hash],
    )
  }
  return made.map(({ key }) => key)
}

const run: Bench['run'] = async (context) => {
  const { builds, databases, rounds, seconds } = context
  const catalogue = await databases.catalogue(1_000)
  const { url, endpoint } = catalogue
  const orders = await createOrders(catalogue)
  const path = `/api/v1/products/${orders.slug}`
  const recorded = await recordReplies(context, { detail: { method: 'GET', path }, list: { method: 'GET', path: '/api/v1/products?limit=20' }, order: orders.next(2) }) // prettier-ignore
  const env = productEnv(url, endpoint)
  const keys = await makeKeys(context, env['TOKEN_SECRET'] ?? '')
  const selvedge = await startWorker(await builds.of('selvedge'), env)
  const bare = await startWorker(await builds.of('bare'), { ...recorded, CALLS: '{}' })
  const calling = await startWorker(await builds.of('bare'), recorded)
  try {
    await orders.renewToken()
    const { token } = orders.next(1)
    let turn = 0
    const withKey = (): Call => ({ method: 'GET', path, token: keys[turn++ % keys.length] ?? '' })
    const withJwt = (): Call => ({ method: 'GET', path, ...(token !== undefined && { token }) })
    const plain = (): Call => ({ method: 'GET', path })
    const sample = async ({ port, cpuMs }: Worker, call: () => Call) => {
      const before = cpuMs()
      const next = () => encode(call())
      const { latencies, perSecond } = await runLoad({ port, connections: 16, seconds, status: 200, next })
      return { perSecond, cpuUs: ((cpuMs() - before) / latencies.length) * 1_000 }
    }
    const contenders = {
      key: () => sample(selvedge, withKey),
      jwt: () => sample(selvedge, withJwt),
      bare: () => sample(bare, plain),
      calling: () => sample(calling, plain),
    }
    await inRounds(warmUps, contenders)
    const samples = await inRounds(rounds, contenders)
    const of = (name: keyof typeof contenders, what: 'perSecond' | 'cpuUs') =>
      (samples[name] ?? []).map((each) => each[what])
    const both = (rival: keyof typeof contenders, what: 'perSecond' | 'cpuUs') =>
      [of('key', what), of(rival, what)].map((each) => show(median(each))).join(' / ')
    const rows = (
      [
        ['jwt', 'the same route with an access token'],
        ['calling', 'bare Hono, the same bytes after the same call to the database'],
        ['bare', 'bare Hono, the same bytes'],
      ] as const
    ).map(([rival, title]) => [
      title,
      showRatio(ratio(of('key', 'perSecond'), of(rival, 'perSecond'))),
      both(rival, 'perSecond'),
      showRatio(ratio(of(rival, 'cpuUs'), of('key', 'cpuUs'))),
      both(rival, 'cpuUs'),
    ])
    return {
      title: 'API keys',
      method: `${rounds} rounds of ${seconds} s in turn, after ${warmUps} to warm up; 16 kept connections, ${programs} keys in
        turn, \`GET /api/v1/products/{slug}\`; limits on, and too high to be reached.`,
      tables: [
        {
          head: ['Against', 'Requests a second', 'key / other', 'CPU', 'µs of CPU, key / other'],
          rows,
          meaning: `Ratios above 1 are for the key; in brackets the extremes of single rounds. With a key the object that
            knows it also counts it, so that the object of the address is not asked: as many calls as with an access token,
            whose signature (ECDSA) is what the key's MAC spares.`,
        },
      ],
      aims: [],
    }
  } finally {
    for (const worker of [selvedge, bare, calling]) await worker.stop()
  }
}

export const keysBench: Bench = {
  ...{ name: 'keys', about: 'a route with an API key against an access token and bare Hono' },
  run,
}
