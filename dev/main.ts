// `npm run dev`: the whole stack on this machine, started, watched and ended by one process. With --liftoff-only, because
// the optimizing compiler would spend 6 s of processor time at each start on an embedded database that is small: a query
// of 2 ms takes 3 without it.
import { relative, resolve } from 'node:path'
import { inspect } from 'node:util'
import { readConfig } from '../src/config.ts'
import { fireCron, readCrons, startClock } from './clock.ts'
import { openDatabase } from './database.ts'
import { lockHolder, takeLock } from './lock.ts'
import { migrate } from './migrate.ts'
import { readOptions, usage } from './options.ts'
import { startMail } from './mail.ts'
import { createOutput } from './output.ts'
import { startProxy } from './proxy.ts'
import { untilReady } from './ready.ts'
import { openRedis } from './redis.ts'
import { createRuntime } from './runtime.ts'
import { findScanner, scannerName } from './scanner.ts'
import { loadSecrets, makeJwtKeys, makeTokenSecret, makeWebhookSecret } from './secrets.ts'
import { isLocal, logins, seedIfEmpty } from './seed.ts'
import { createShutdown } from './shutdown.ts'
import { openState, type State } from './state.ts'
import { stackUrls, summary } from './summary.ts'
import { readVarFiles, resolveVars } from './vars.ts'

const root = resolve(import.meta.dirname, '..')
const wranglerToml = resolve(root, 'wrangler.toml')
const drainMs = 6_500

const log = (message: string) => void process.stdout.write(`${message}\n`)
const shutdown = createShutdown(log)

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return log(usage)
  const options = readOptions(process.argv.slice(2), process.env)
  const state = openState(resolve(root, options.folder))
  await claim(state)
  const varFiles = readVarFiles(root)
  const given = resolveVars({ ...varFiles, env: process.env, secrets: {} }).chosen
  const realDatabaseUrl = given.DATABASE_URL
  const proxy = await startProxy({
    port: options.port,
    onAnswer: (status) => void (status < 500 && runtime.sign()),
  })
  shutdown.add('proxy', () => proxy.close())
  const api = `http://127.0.0.1:${proxy.port}`
  checkVars(varFiles, api)
  // Only now: a start that is refused changes nothing.
  if (options.fresh) startAfresh(state, realDatabaseUrl)

  log(
    `database    ${realDatabaseUrl ? 'connecting to the server of DATABASE_URL' : 'starting PostgreSQL, embedded'} …`,
  )
  const database = await openDatabase({
    dataDir: state.paths.database,
    // A Worker too busy to answer in time still asks its database.
    onCall: () => runtime.sign(),
    ...(realDatabaseUrl && { databaseUrl: realDatabaseUrl }),
    log,
  })
  shutdown.add('database', () => database.close())
  const applied = await migrate(database.url)
  log(`migrations  ${applied.length === 0 ? 'up to date' : `${applied.length} applied`}`)
  log(`seed        ${await seed(database.url)}`)

  const mail = await startMail()
  shutdown.add('mail', () => mail.close())
  const urls = stackUrls(proxy.port, mail.inbox)
  const upstashUrl = given.UPSTASH_REDIS_REST_URL
  const { redisUrl } = options
  const redis =
    upstashUrl || redisUrl === 'off'
      ? undefined
      : await openRedis({ dataDir: state.paths.redis, ...(redisUrl && { redisUrl }), log })
  if (redis) shutdown.add('redis', () => redis.close())

  const scannerUrl = given.SCANNER_URL ?? (await findScanner())
  log(`scanner     ${scannerName(scannerUrl)}`)

  log('runtime     starting …')
  const secrets = loadSecrets(state.paths.secrets)
  const { names, chosen, defaults } = resolveVars({ ...varFiles, env: process.env, secrets })
  const derived = {
    JWT_ISSUER: urls.api,
    APP_URL: urls.api,
    DATABASE_FETCH_ENDPOINT: database.fetchEndpoint,
    RESEND_BASE_URL: mail.url,
    S3_ENDPOINT: urls.store,
    SCANNER_URL: scannerUrl,
  }
  const found = {
    DATABASE_URL: database.url,
    ...(redis && { UPSTASH_REDIS_REST_URL: redis.restUrl, UPSTASH_REDIS_REST_TOKEN: redis.token }),
  }
  const vars = { ...defaults, ...derived, ...chosen, ...found }
  const info = {
    pid: process.pid,
    runtimePids: [] as number[],
    urls: { ...urls, redis: redis?.restUrl ?? upstashUrl ?? '' },
    databaseUrl: database.url,
    ...(redis && { redisToken: redis.token }),
    logins,
  }
  const output = createOutput(log)
  const runtime = createRuntime({
    root,
    state,
    names,
    vars,
    proxy,
    output,
    log,
    onProcesses(group, processes) {
      state.recordRuntime(group, processes)
      info.runtimePids = processes.map(({ pid }) => pid)
      if (state.readInfo()) state.writeInfo(info)
    },
  })
  shutdown.add('runtime', (hurry) => runtime.stop({ hurry: hurry.aborted }))
  shutdown.atExit(runtime.kill)
  await runtime.start()
  await untilReady(urls.ready).catch((error: unknown) => {
    output.tell()
    throw error
  })
  output.pass()
  shutdown.add('requests in flight', (hurry) => proxy.drain(drainMs, hurry))

  const clock = startClock({
    crons: () => readCrons(wranglerToml),
    fire: (cron, time, signal) => fireCron(urls.api, cron, { time, signal }),
    log,
  })
  shutdown.add('clock', clock.stop)
  state.writeInfo(info)
  const kinds = { database: database.kind, redis: redis?.kind ?? (upstashUrl ? 'upstash' : 'none') } as const
  const scanner = scannerName(scannerUrl)
  log(summary({ info, folder: nameOf(state), kinds, scanner, startedMs: performance.now() }))
}

/** One stack per state folder; what a killed one left running there is ended. */
async function claim(state: State): Promise<void> {
  const lock = takeLock(state.paths.lock)
  if (!lock) {
    const pid = lockHolder(state.paths.lock)?.pid ?? 'unknown'
    throw new Error(
      `Another \`npm run dev\` (pid ${pid}) runs on ${nameOf(state)}: stop it, or set STATE_DIR and PORT for a second one.`,
    )
  }
  shutdown.atExit(() => {
    state.clearRunning()
    lock.release()
  })
  const left = await state.endLeftovers()
  if (left > 0) log(`state       ended ${left} processes that an earlier start had left behind`)
  state.clearRunning()
}

function startAfresh(state: State, realDatabaseUrl: string | undefined): void {
  state.wipe()
  log(`state       ${nameOf(state)} begins anew`)
  if (realDatabaseUrl) log('state       DATABASE_URL names a real server: its data is left alone')
}

/** The Worker's own reading of its variables, before it is started with them. */
function checkVars(varFiles: ReturnType<typeof readVarFiles>, api: string): void {
  const { chosen, defaults } = resolveVars({
    ...varFiles,
    env: process.env,
    secrets: {
      JWT_KEYS: makeJwtKeys(),
      RESEND_WEBHOOK_SECRET: makeWebhookSecret(),
      TOKEN_SECRET: makeTokenSecret(),
    },
  })
  const derived = {
    JWT_ISSUER: api,
    DATABASE_URL: 'postgres://127.0.0.1/selvedge',
    DATABASE_FETCH_ENDPOINT: '',
    S3_ENDPOINT: api,
    SCANNER_URL: 'off',
  }
  try {
    readConfig({ ...defaults, ...derived, ...chosen })
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

async function seed(url: string): Promise<string> {
  if (!isLocal(url)) return 'left out: the database is not local'
  return (await seedIfEmpty(url)) ? 'written into the empty database' : 'not needed'
}

function nameOf({ dir }: State): string {
  const name = relative(root, dir)
  return name.startsWith('..') ? dir : name || '.'
}

function fail(error: unknown): void {
  // What is undone beneath a start that is under way makes it fail: no news.
  if (!shutdown.isRunning) process.stderr.write(`${isForeseen(error) ? error.message : inspect(error)}\n`)
  void shutdown.stop(1)
}

/** Plain errors carry one clear sentence; of all others we want the stack. */
const isForeseen = (error: unknown): error is Error => error instanceof Error && error.constructor === Error

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}) // a reader that left
process.on('uncaughtException', fail)
main().catch(fail)
