import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Build } from './worker-build.ts'

const fromWrangler = createRequire(import.meta.resolve('wrangler'))

const Package = z.object({ default: z.string(), version: z.string() })

/** The program that wrangler pins, and its version. */
export const workerd = Package.parse(fromWrangler('workerd'))

const text = (value: string): string => JSON.stringify(value)

const list = (items: string[]): string => `[${items.join(', ')}]`

/** Behind the bindings that no bench is about: takes every message of a queue and forgets it. */
const sink = `export default {
  async fetch(request) {
    await request.arrayBuffer()
    return Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } })
  },
}`

/** https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
const configOf = ({ config, module }: Build, env: Record<string, string>, storage: string): string => {
  const objects = config.durable_objects.bindings
  const bindings = [
    ...Object.entries(env).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...objects.map(
      ({ name, class_name }) => `(name = ${text(name)}, durableObjectNamespace = ${text(class_name)})`,
    ),
    ...config.queues.producers.map(({ binding }) => `(name = ${text(binding)}, queue = "sink")`),
    ...config.r2_buckets.map(({ binding }) => `(name = ${text(binding)}, r2Bucket = "sink")`),
    ...(config.assets ? [`(name = ${text(config.assets.binding)}, service = "sink")`] : []),
  ]
  const namespaces = objects.map(
    ({ class_name: name }) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed ${text(basename(module))})],
      compatibilityDate = ${text(config.compatibility_date)},
      compatibilityFlags = ${list(config.compatibility_flags.map(text))},
      bindings = ${list(bindings)},
      durableObjectNamespaces = ${list(namespaces)},
      durableObjectStorage = (localDisk = "objects"),
      globalOutbound = "network"
    )),
    (name = "sink", worker = (
      modules = [(name = "sink", esModule = ${text(sink)})],
      compatibilityDate = ${text(config.compatibility_date)}
    )),
    (name = "network", network = (allow = ["public", "private"])),
    (name = "objects", disk = (path = ${text(storage)}, writable = true))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);`
}

/** Objects write here, as fast as the machine's memory: like PostgreSQL and Redis of a bench, they sync to no disk. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** User and system time of the whole process; NaN where there is no /proc. */
export const cpuMsOf = (pid: number | undefined): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10 // in ticks of 10 ms
  } catch {
    return NaN
  }
}

/** One JSON object a line: https://github.com/cloudflare/workerd/blob/main/src/workerd/server/server.h */
const Event = z.object({ event: z.string(), port: z.number().optional() })

const portOf = async ({ stdio }: ChildProcess): Promise<number> => {
  const control = stdio[3]
  if (!(control instanceof Readable)) throw new Error('workerd was started without its control pipe')
  for await (const line of createInterface(control)) {
    const { event, port } = Event.parse(JSON.parse(line))
    if (event === 'listen' && port !== undefined) return port
  }
  throw new Error('workerd ended before it listened')
}

/** A folder for objects that outlive a Worker, until the bench ends. */
export const makeObjects = (): string => {
  const folder = mkdtempSync(join(memory, 'selvedge-objects-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Runs a build in the workerd of production, without the proxies, inspector and log handling of `wrangler dev`. Log
 * lines go to a file, so that nobody has to read them while it is measured. `objects`: where objects are kept, when they
 * are to outlive it.
 */
export const startWorker = async (build: Build, env: Record<string, string>, objects?: string) => {
  const folder = mkdtempSync(join(memory, 'selvedge-workerd-'))
  const storage = objects ?? join(folder, 'objects')
  mkdirSync(storage, { recursive: true })
  const logFile = join(folder, 'output.log')
  const output = openSync(logFile, 'w')
  const config = join(dirname(build.module), `${basename(folder)}.capnp`)
  writeFileSync(config, configOf(build, { ...build.config.vars, ...env }, storage))
  const child = spawn(workerd.default, ['serve', '--experimental', '--control-fd=3', config], {
    cwd: folder,
    stdio: ['ignore', output, output, 'pipe'],
  })
  closeSync(output)
  const exited = once(child, 'exit')
  const clean = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', clean) // whatever ends the bench
  const log = () => readFileSync(logFile, 'utf8')
  const port = await Promise.race([portOf(child), exited.then(() => Promise.reject(new Error(log())))])

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    cpuMs: () => cpuMsOf(child.pid),
    log,
    async stop(): Promise<void> {
      child.kill('SIGKILL')
      await exited
      process.off('exit', clean)
      clean()
      rmSync(config, { force: true })
    },
  }
}

export type Worker = Awaited<ReturnType<typeof startWorker>>
