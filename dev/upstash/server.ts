import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen, settleWithin } from '../neon/listen.ts'
import { endGroup } from '../processes.ts'

type Options = { binary: string; dataDir: string }

const START_MS = 10_000
const STOP_MS = 2_000

// The pipe on its stdin closes however this process ends; then the server goes. Ends by itself when the server does.
const KEEPER = `
exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill $server; } & reader=$!
exec 3<&-
wait $server
kill $reader`

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const findRedisServer = (path = process.env.PATH ?? '') =>
  path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'redis-server'))
    .find(isExecutable)

/** A cache: nothing is kept on disk. The password keeps other users of the machine out. */
const settings = (port: number, password: string) => `
bind 127.0.0.1
port ${port}
requirepass ${password}
save ""
appendonly no
daemonize no
databases 1
`

const freePort = async () => {
  const holder = createServer()
  const port = await listen(holder)
  holder.close()
  await once(holder, 'close')
  return port
}

const isListening = async (port: number) => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const lastLine = (file: string) => readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? ''

/** A redis-server of our own, with its output in redis.log of `dataDir`, that ends when this process does. */
export const startRedisServer = async ({ binary, dataDir }: Options) => {
  await mkdir(dataDir, { recursive: true })
  const port = await freePort()
  const password = randomBytes(24).toString('hex')
  await writeFile(join(dataDir, 'redis.conf'), settings(port, password), { mode: 0o600 })

  const log = join(dataDir, 'redis.log')
  const output = openSync(log, 'w')
  // Detached, so that Ctrl-C in the terminal does not end it before its clients.
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', binary, 'redis.conf'], {
    cwd: dataDir,
    detached: true,
    stdio: ['pipe', output, output],
  })
  closeSync(output)
  let ended = false
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      ended = true
      resolve()
    }
    keeper.once('exit', end).once('error', end)
  })
  keeper.stdin?.on('error', () => undefined)
  keeper.unref()

  const stop = async () => {
    keeper.stdin?.end()
    if (!(await settleWithin(exited, STOP_MS)) && keeper.pid) await endGroup(keeper.pid)
  }

  const deadline = Date.now() + START_MS
  while (!(await isListening(port))) {
    if (!ended && Date.now() < deadline) {
      await sleep(20)
      continue
    }
    await stop()
    throw new Error(`redis-server does not start: ${lastLine(log)}`)
  }
  return { url: `redis://:${password}@127.0.0.1:${port}`, exited, stop }
}
