import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { it } from 'vitest'
import { findBinaries, unprivileged } from './postgres-binaries.ts'

type TestPostgres = {
  url: string
  stop(): Promise<void>
  /** Ends the server as a power cut would; not there for a server that is not ours. */
  kill9?(): void
}
type Unavailable = { unavailable: string }

const START_MS = 30_000
const LOCALE = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '150',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

// The pipe on its stdin closes however this process ends; then the server goes, and its folder with it.
const KEEPER =
  'folder=$1; shift; "$@" & server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf "$folder"'

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const withClient = async (url: string, work: (client: Client) => Promise<unknown>) => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address && typeof address === 'object' ? address.port : 0))
    })
  })

const untilReady = async (url: string, log: string) => {
  const deadline = Date.now() + START_MS
  for (;;) {
    try {
      return await withClient(url, (client) => client.query('select 1'))
    } catch (error) {
      const said = readFileSync(log, 'utf8')
      const reason = said.split('\n').find((line) => line.includes('FATAL') && !line.includes('starting up'))
      if (reason || Date.now() > deadline) throw new Error(reason ?? reasonOf(error), { cause: error })
      await sleep(50)
    }
  }
}

/** A database of its own on a server that is there already. */
const borrow = async (server: string): Promise<TestPostgres> => {
  const name = `selvedge_test_${randomUUID().replaceAll('-', '')}`
  await withClient(server, (client) => client.query(`create database ${name}`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    stop: () => withClient(server, (client) => client.query(`drop database ${name} with (force)`)),
  }
}

const launch = async (binaries: string): Promise<TestPostgres> => {
  const user = unprivileged()
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-postgres-'))
  const data = join(folder, 'data')
  const log = join(folder, 'server.log')
  if (user) await chown(folder, user.uid, user.gid)

  const as = { ...user, cwd: folder, env: { ...process.env, LC_ALL: LOCALE } }
  const initialise = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    `--locale=${LOCALE}`,
    '--no-sync',
  ]
  await promisify(execFile)(join(binaries, 'initdb'), initialise, as)

  const port = await freePort()
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = [join(binaries, 'postgres'), '-D', data, '-p', String(port), ...settings]
  const output = openSync(log, 'w')
  // Detached, so that Ctrl-C reaches the tests first and they can end what they do.
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', folder, ...server], {
    ...as,
    detached: true,
    stdio: ['pipe', output, output],
  })
  closeSync(output)
  keeper.unref()
  const gone = new Promise<void>((resolve) => keeper.once('exit', () => resolve()))
  const stop = async () => {
    keeper.ref()
    keeper.stdin?.end()
    await gone
    await rm(folder, { recursive: true, force: true })
  }

  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  try {
    await untilReady(url, log)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    stop,
    kill9: () =>
      process.kill(Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10), 'SIGKILL'),
  }
}

/** A real PostgreSQL: a new database on the server of TEST_DATABASE_URL, else a server of this machine's own. */
export const startPostgres = async (): Promise<TestPostgres | Unavailable> => {
  const given = process.env['TEST_DATABASE_URL']
  try {
    if (given) return await borrow(given)
    const binaries = findBinaries()
    if (!binaries) return { unavailable: 'no PostgreSQL server is installed (postgres and initdb not found)' }
    return await launch(binaries)
  } catch (error) {
    return { unavailable: `PostgreSQL does not start: ${reasonOf(error)}` }
  }
}

/** Registers a test that is skipped by name with the reason; where CI=true must prove everything, it fails. */
export const skipOrFail = (name: string, reason: string): void => {
  if (process.env['CI'] !== 'true') return it.skip(`${name} (skipped: ${reason})`)
  it(name, () => {
    throw new Error(`CI=true allows no skipped test: ${reason}`)
  })
}
