import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { forgoFirstReport } from './first-report.ts'
import { generousLimits } from './generous-limits.ts'

export const projectRoot = resolve(import.meta.dirname, '../..')

type Info = {
  pid: number
  runtimePids: number[]
  urls: { api: string; docs: string; health: string; ready: string; mail: string }
  databaseUrl: string
  logins: { role: string; email: string; password: string }[]
}

type Options = {
  /** What to run; what `npm run dev` runs by default. */
  command?: [string, ...string[]]
  cwd?: string
  env?: Record<string, string>
  stateDir?: string
  /** Milliseconds until the stack must be ready. */
  patience?: number
}

export type Stack = Awaited<ReturnType<typeof startStack>>

/** Starts a development stack on a free port with its own state folder and waits until it is ready. */
export const startStack = async ({
  command = [process.execPath, '--liftoff-only', 'dev/main.ts'],
  cwd = projectRoot,
  env = {},
  stateDir = mkdtempSync(join(tmpdir(), 'selvedge-stack-')),
  patience = 180_000,
}: Options = {}) => {
  const outputFile = join(stateDir, 'output.log')
  const infoFile = join(stateDir, 'dev.json')
  const descriptor = openSync(outputFile, 'a')
  const [file, ...args] = command
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, PORT: '0', STATE_DIR: stateDir, LIMITS: generousLimits, ...env },
    stdio: ['ignore', descriptor, descriptor],
    detached: true,
  })
  closeSync(descriptor)
  const exited = once(child, 'exit')
  const output = () => readFileSync(outputFile, 'utf8')
  const readInfo = (): Info => JSON.parse(readFileSync(infoFile, 'utf8'))

  const started = performance.now()
  const untilReady = async () => {
    while (!existsSync(infoFile)) {
      if (child.exitCode !== null) throw new Error(`The stack ended with ${child.exitCode}:\n${output()}`)
      if (performance.now() - started > patience) {
        throw new Error(`The stack was not ready within ${patience} ms:\n${output()}`)
      }
      await sleep(50)
    }
    const readyAfterMs = performance.now() - started
    await forgoFirstReport(readInfo().databaseUrl)
    return readyAfterMs
  }
  const readyAfterMs = await untilReady().catch(async (error: unknown) => {
    if (child.exitCode === null) {
      child.kill('SIGTERM')
      await exited
    }
    throw error
  })

  return {
    api: readInfo().urls.api,
    readyAfterMs,
    stateDir,
    info: readInfo,
    output,
    /** Of the supervisor. */
    signal: (name: NodeJS.Signals) => process.kill(readInfo().pid, name),
    exited: async (): Promise<number | null> => {
      const [code] = await exited
      return code
    },
    async stop(): Promise<void> {
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(readInfo().pid, 'SIGTERM')
        await exited
      }
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}
