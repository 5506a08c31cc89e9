import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { endGroup, listGroup, listProcesses, type Process, type ProcessId } from './processes.ts'

export type State = ReturnType<typeof openState>

/** What the running stack tells tools, in dev.json. */
export const DevInfo = z.object({
  pid: z.number(),
  runtimePids: z.array(z.number()),
  urls: z.record(z.string(), z.string()),
  databaseUrl: z.string(),
  /** For `urls.redis`; not there when that is Upstash itself. */
  redisToken: z.string().optional(),
  logins: z.array(z.object({ role: z.string(), email: z.string(), password: z.string() })),
})
export type DevInfo = z.infer<typeof DevInfo>

const RuntimeRecord = z.object({
  group: z.number(),
  processes: z.array(z.object({ pid: z.number(), startedAt: z.string() })),
})

/** The folder that holds all that one stack keeps: database, secrets, stored objects, and what runs now. */
export function openState(dir: string) {
  const paths = {
    lock: join(dir, 'lock'),
    info: join(dir, 'dev.json'),
    runtimeRecord: join(dir, 'runtime.json'),
    secrets: join(dir, 'secrets.json'),
    database: join(dir, 'database'),
    redis: join(dir, 'redis'),
    objects: join(dir, 'objects'),
    wrangler: join(dir, 'wrangler'),
  }
  return {
    dir,
    paths,
    readInfo: (): DevInfo | undefined => DevInfo.safeParse(readJson(paths.info)).data,
    writeInfo: (info: DevInfo) => writeAtomically(paths.info, info),
    recordRuntime: (group: number, processes: readonly ProcessId[]) =>
      writeAtomically(paths.runtimeRecord, {
        group,
        processes: processes.map(({ pid, startedAt }) => ({ pid, startedAt })),
      }),
    /** Nothing runs any more: tools must not find what is gone. */
    clearRunning: () => [paths.info, paths.runtimeRecord].forEach((path) => rmSync(path, { force: true })),
    endLeftovers: () => endLeftovers(paths.runtimeRecord),
    /** Deletes by name, never the folder itself: STATE_DIR may hold other things. */
    wipe: () =>
      [paths.database, paths.redis, paths.objects, paths.wrangler, paths.secrets].forEach((path) =>
        rmSync(path, { recursive: true, force: true }),
      ),
  }
}

/** Ends the runtime that a killed supervisor left behind; returns how many processes that were. */
async function endLeftovers(record: string): Promise<number> {
  const left = RuntimeRecord.safeParse(readJson(record)).data
  if (!left) return 0
  const members = listGroup(left.group)
  const known = members.filter((one) => left.processes.some((old) => isSame(one, old)))
  // A group's number stays taken while one member lives, so a known member vouches for the others. Without one,
  // the runtime may have replaced its processes since they were recorded: then the command line must say so.
  const ours = known.length > 0 ? members : members.filter(isRuntime)
  const strays = listProcesses().filter(
    (one) => one.group !== left.group && left.processes.some((old) => isSame(one, old)),
  )
  if (ours.length > 0 && ours.length === members.length) await endGroup(left.group)
  else for (const one of ours) process.kill(one.pid, 'SIGKILL')
  for (const one of strays) process.kill(one.pid, 'SIGKILL')
  rmSync(record, { force: true })
  return ours.length + strays.length
}

const isSame = (a: ProcessId, b: ProcessId) => a.pid === b.pid && a.startedAt === b.startedAt
const isRuntime = (one: Process) => /node_modules\/(wrangler|@cloudflare\/workerd|@esbuild)/.test(one.command)

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Readable by the owner only: these files name secrets and passwords. */
export function writeAtomically(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, path)
}
