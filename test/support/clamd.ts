import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from '../../dev/neon/listen.ts'

const startMs = 30_000

/** Debian keeps it outside the PATH of plain users. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const binary = folders
  .filter((folder) => folder !== '')
  .map((folder) => join(folder, 'clamd'))
  .find(isExecutable)

/** The test file of https://www.eicar.org in two halves, so that no scanner of this machine takes this file for it. */
const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD', '-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** Found anywhere in any file. */
const signatures = `Selvedge.Test.EICAR:0:*:${Buffer.from(eicar).toString('hex')}\n`

// The pipe on its stdin closes however this process ends; then the daemon goes.
const keeper = 'clamd=$1; shift; "$clamd" "$@" & server=$!; read -r _; kill -KILL $server; wait $server'

type Settings = Record<string, string>

const given = new Set<number>()

/** Another one each time: whoever was given one before may not have taken it yet. */
const freePort = async (): Promise<number> => {
  const holder = createTcpServer()
  const port = await listen(holder)
  holder.close()
  await once(holder, 'close')
  if (given.has(port)) return await freePort()
  given.add(port)
  return port
}

const answers = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.end('zPING\0')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString() === 'PONG\0'
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A clamd with our one signature, on a port of 127.0.0.1. It can be killed and started again. */
const startClamd = async (clamd: string, folder: string, name: string, settings: Settings) => {
  const home = join(folder, name)
  await mkdir(join(home, 'signatures'), { recursive: true })
  await writeFile(join(home, 'signatures', 'test.ndb'), signatures)
  const port = await freePort()
  const lines = {
    TCPSocket: String(port),
    TCPAddr: '127.0.0.1',
    DatabaseDirectory: join(home, 'signatures'),
    TemporaryDirectory: home,
    Foreground: 'yes',
    ConcurrentDatabaseReload: 'no',
    // Else it decodes every image, bombs too, to look for pictures that it knows.
    ScanImageFuzzyHash: 'no',
    ...settings,
  }
  const config = join(home, 'clamd.conf')
  await writeFile(
    config,
    Object.entries(lines)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  )
  const log = join(home, 'clamd.log')
  let running: ChildProcess | undefined

  const kill = async (): Promise<void> => {
    const process = running
    running = undefined
    if (process === undefined || process.exitCode !== null) return
    const ended = once(process, 'exit')
    process.stdin?.end()
    await ended
  }

  const start = async (): Promise<void> => {
    const output = openSync(log, 'a')
    running = spawn('sh', ['-c', keeper, 'sh', clamd, '--config-file', config], {
      stdio: ['pipe', output, output],
      detached: true,
    })
    closeSync(output)
    running.stdin?.on('error', () => undefined)
    running.unref()
    const deadline = Date.now() + startMs
    while (!(await answers(port))) {
      if (Date.now() > deadline) {
        await kill()
        throw new Error(`clamd does not start: ${readFileSync(log, 'utf8').trim().split('\n').at(-1)}`)
      }
      await sleep(50)
    }
  }

  await start()
  return { port, start, kill }
}

/** Ports, and where POST /kill and /start steer the scanner that may be killed. */
export type Clamds =
  | { unavailable: string }
  | {
      /** As the runbook has it, for files of 50 MB. */
      usual: number
      /** The same, to be killed in the middle. */
      mortal: number
      control: string
      /** Takes 1 MB and breaks off: StreamMaxLength. */
      short: number
      /** Takes all, scans 1 MB, and says so: AlertExceedsMax. */
      honest: number
      /** Takes all, scans 1 MB, and says nothing. */
      silent: number
    }

export const startClamds = async (): Promise<{ clamds: Clamds; stop: () => Promise<void> }> => {
  if (binary === undefined) {
    return {
      clamds: { unavailable: "no clamd: Debian's clamav-daemon has it" },
      stop: () => Promise.resolve(),
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-clamd-'))
  const all = { StreamMaxLength: '60M', MaxFileSize: '60M', MaxScanSize: '240M', AlertExceedsMax: 'yes' }
  const little = { ...all, MaxFileSize: '1M', MaxScanSize: '1M' }
  const launch = (name: string, settings: Settings) => startClamd(binary, folder, name, settings)
  const [usual, mortal, short, honest, silent] = await Promise.all([
    launch('usual', all),
    launch('mortal', all),
    launch('short', { ...all, StreamMaxLength: '1M' }),
    launch('honest', little),
    launch('silent', { ...little, AlertExceedsMax: 'no' }),
  ])
  const control = createServer((request, response) => {
    const done = request.url === '/kill' ? mortal.kill() : mortal.start()
    void done.then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  const controlPort = await listen(control)
  return {
    clamds: {
      usual: usual.port,
      mortal: mortal.port,
      control: `http://127.0.0.1:${controlPort}`,
      short: short.port,
      honest: honest.port,
      silent: silent.port,
    },
    stop: async () => {
      control.close()
      await Promise.all([usual, mortal, short, honest, silent].map(({ kill }) => kill()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
