import { createRefreshTokens, type RefreshToken } from '../../../src/auth/refresh-token.ts'
import { newId } from '../../../src/shared/ids.ts'
import type { Bench, Context } from '../context.ts'
import { show, showMedian, showRatio } from '../format.ts'
import { encode, runLoad, type Call } from '../load.ts'
import { productEnv, tokenFor } from '../product.ts'
import { inRounds } from '../rounds.ts'
import { median, quantile, ratio } from '../statistics.ts'
import { startWorker, type Worker } from '../workerd.ts'

const warmUps = 2

const connections = 16

/** Sessions that refresh in turn: far more than connections, so that none is asked again before it has answered. */
const sessions = 1_000

/** Sessions of the catalogue's customers as rows, each with its first token. */
const openSessions = async (context: Context, tokenSecret: string) => {
  const { client } = await context.databases.catalogue(1_000)
  const tokens = createRefreshTokens(tokenSecret)
  const held = Array.from({ length: sessions }, () => ({ id: newId(), token: tokens.first() }))
  await client.query(
    `with added as (
      insert into sessions (id, user_id, expires_at)
      select new.id, owner.id, now() + interval '30 days'
      from rows from (json_to_recordset($1::json) as (id uuid, hash text)) with ordinality as new (id, hash, n)
        join (select id, row_number() over (order by id) as n, count(*) over () as total from users) as owner
          on owner.n = 1 + new.n % owner.total
      returning id
    )
    insert into refresh_tokens (token_hash, session_id)
    select decode(hash, 'hex'), id from json_to_recordset($1::json) as new (id uuid, hash text)`,
    [JSON.stringify(held.map(({ id, token }) => ({ id, hash: token.hash })))],
  )
  return { tokens, held: held.map(({ token }) => token) }
}

/** What clients send that keep nonce and token together: the successor is known, as the Worker derives it. */
const refreshing = async (context: Context, tokenSecret: string): Promise<() => Call> => {
  const { tokens, held } = await openSessions(context, tokenSecret)
  let turn = 0
  return () => {
    const at = turn++ % held.length
    const shown = held[at] as RefreshToken
    held[at] = tokens.successor(shown, shown.nonce)
    return {
      method: 'POST',
      path: '/api/auth/refresh',
      idempotencyKey: shown.nonce,
      body: { refreshToken: shown.token },
    }
  }
}

const run: Bench['run'] = async (context) => {
  const { builds, databases, rounds, seconds } = context
  const catalogue = await databases.catalogue(1_000)
  const env = productEnv(catalogue.url, catalogue.endpoint)
  const refresh = await refreshing(context, env['TOKEN_SECRET'] ?? '')
  const token = await tokenFor(catalogue)
  const worker = await startWorker(await builds.of('selvedge'), env)
  const sample = async ({ port, cpuMs }: Worker, call: () => Call) => {
    const before = cpuMs()
    const next = () => encode(call())
    const { latencies, perSecond } = await runLoad({ port, connections, seconds, status: 200, next })
    return {
      perSecond,
      p99: quantile(latencies, 0.99),
      cpuUs: ((cpuMs() - before) / latencies.length) * 1_000,
    }
  }
  try {
    const contenders = {
      refresh: () => sample(worker, refresh),
      me: () => sample(worker, () => ({ method: 'GET', path: '/api/auth/me', token })),
    }
    await inRounds(warmUps, contenders)
    const samples = await inRounds(rounds, contenders)
    const of = (name: keyof typeof contenders, what: 'perSecond' | 'p99' | 'cpuUs') =>
      samples[name].map((each) => each[what])
    const perSecond = median(of('refresh', 'perSecond'))
    const row = (title: string, what: 'perSecond' | 'p99' | 'cpuUs', unit: string) => [
      title,
      showMedian(of('refresh', what), unit),
      showMedian(of('me', what), unit),
      showRatio(ratio(of('refresh', what), of('me', what))),
    ]
    return {
      title: 'Refreshing sessions',
      method: `${sessions} sessions refresh in turn, each with the token and nonce of its last reply, as JSON; beside it
        \`GET /api/auth/me\`, which verifies an access token and reads a row. ${rounds} rounds of ${seconds} s in turn, after
        ${warmUps} to warm up; ${connections} kept connections, PostgreSQL behind Neon's protocol; limits on, and too high to
        be reached.`,
      tables: [
        {
          head: ['', 'refresh', '`GET /api/auth/me`', 'refresh / me'],
          rows: [
            row('requests a second', 'perSecond', '/s'),
            row('p99', 'p99', 'ms'),
            row('CPU of workerd for a request', 'cpuUs', 'µs'),
          ],
          meaning: `A refresh is one call to the database too: a transaction that locks the session, spends a token, adds its
            successor and reads the verdict; and it signs an access token. A client refreshes about every 15 minutes, so that
            ${show(perSecond)} a second are those of about ${Math.round((perSecond * 900) / 1_000)},000 clients.`,
        },
      ],
      aims: [],
    }
  } finally {
    await worker.stop()
  }
}

export const refreshBench: Bench = {
  ...{ name: 'refresh', about: 'refreshes a second, against a plain request with an access token' },
  run,
}
