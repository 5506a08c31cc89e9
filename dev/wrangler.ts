import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { State } from './state.ts'

export type Wrangler = { pid: number; port: number; streams: Readable[]; exited: Promise<unknown> }

type WranglerOptions = {
  root: string
  state: State
  names: readonly string[]
  vars: Readonly<Record<string, string>>
}

/** Starts `wrangler dev` on free ports as the leader of a process group of its own. */
export async function startWrangler({ root, state, names, vars }: WranglerOptions): Promise<Wrangler> {
  const [port, inspectorPort] = await freePorts()
  const temporary = join(state.paths.wrangler, 'tmp')
  rmSync(temporary, { recursive: true, force: true }) // a runtime that was killed leaves its files
  mkdirSync(temporary, { recursive: true })
  const envFile = join(state.paths.wrangler, 'empty.env')
  writeFileSync(
    envFile,
    '# Given to wrangler so that it reads neither .env nor .dev.vars: `npm run dev` has read them.\n',
  )
  // The program itself: its launcher would be one more process between the signals and the runtime.
  const program = fileURLToPath(import.meta.resolve('wrangler'))
  const args = [
    `--config=${join(root, 'wrangler.toml')}`,
    `--env-file=${envFile}`,
    `--persist-to=${state.paths.objects}`,
    '--ip=127.0.0.1',
    `--port=${port}`,
    `--inspector-port=${inspectorPort}`,
    '--show-interactive-dev-session=false',
  ]
  const child = spawn(process.execPath, ['--no-warnings', program, 'dev', ...args], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(state.paths.wrangler, names, vars),
  })
  const exited = new Promise<unknown>((resolve) => child.once('exit', resolve).once('error', resolve))
  if (child.pid === undefined) throw new Error(`wrangler cannot be started: ${String(await exited)}`)
  return { pid: child.pid, port, streams: [child.stdout, child.stderr], exited }
}

/**
 * The Worker's variables travel in the environment: with [secrets] in wrangler.toml, wrangler takes from it what
 * [vars] and [secrets] declare, to the letter, while it would expand `$` in a file. What this process has under
 * one of those names is replaced, and what would steer wrangler elsewhere is removed.
 */
function environment(folder: string, names: readonly string[], vars: Readonly<Record<string, string>>) {
  const steering = ['CLOUDFLARE_ENV', 'CLOUDFLARE_INCLUDE_PROCESS_ENV', 'WRANGLER_LOG']
  const inherited = Object.entries(process.env).filter(
    ([name]) => !names.includes(name) && !steering.includes(name),
  )
  return {
    ...Object.fromEntries(inherited),
    ...vars,
    // [build] runs `node`: this one, not an older one of the machine.
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    ...(process.stdout.isTTY && !process.env.NO_COLOR && { FORCE_COLOR: '1' }),
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'true',
    // Offline and silent: no look for a newer version, no metrics, no fetch of an example of request.cf.
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    // Nothing outside the state folder, so that two stacks do not meet.
    TMPDIR: join(folder, 'tmp'),
    WRANGLER_LOG_PATH: join(folder, 'logs'),
    WRANGLER_REGISTRY_PATH: join(folder, 'registry'),
    WRANGLER_CACHE_DIR: join(folder, 'cache'),
  }
}

/** Both are held before either is given back, so that they differ. */
async function freePorts(): Promise<[number, number]> {
  const one = await hold()
  const two = await hold()
  await Promise.all([one.release(), two.release()])
  return [one.port, two.port]
}

async function hold() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('There is no free port on 127.0.0.1.')
  return { port: address.port, release: () => once(server.close(), 'close') }
}
