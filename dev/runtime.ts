import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAnswering, startHeartbeat } from './heartbeat.ts'
import type { Output } from './output.ts'
import { pauseOrChange } from './pause.ts'
import { endGroup, followGroup, type Process, signalGroup } from './processes.ts'
import type { Proxy } from './proxy.ts'
import type { State } from './state.ts'
import { startWrangler, type Wrangler } from './wrangler.ts'

type RuntimeOptions = {
  root: string
  state: State
  names: readonly string[]
  vars: Readonly<Record<string, string>>
  proxy: Proxy
  output: Output
  log: (message: string) => void
  /** Called at the start and whenever other processes make up the runtime. */
  onProcesses: (group: number, processes: readonly Process[]) => void
}

/** How one life of the runtime ended; `servedMs` is 0 if it never answered. */
type Life = { how: string; servedMs: number }

const startWithinMs = 60_000
const stableAfterMs = 60_000
const maxPauseMs = 15_000

/** Keeps one `wrangler dev` behind the proxy: started again when it dies or falls silent, until stopped. */
export function createRuntime({ proxy, output, log, onProcesses, ...where }: RuntimeOptions) {
  const stopping = new AbortController()
  const stopped = once(stopping.signal, 'abort').then(() => 'was stopped')
  let supervision: Promise<void> = Promise.resolve()
  let current: Wrangler | undefined
  let sign = () => {}
  let graceMs = 0

  async function live(onReady: () => void): Promise<Life> {
    const wrangler = await startWrangler(where)
    current = wrangler
    wrangler.streams.forEach(output.read)
    const processes = followGroup(wrangler.pid, (now) => onProcesses(wrangler.pid, now))
    const over = new AbortController()
    try {
      const ended = [wrangler.exited.then(() => 'ended'), stopped]
      const health = `http://127.0.0.1:${wrangler.port}/health`
      const failure = await Promise.race([...ended, untilAnswering(health, over.signal)])
      if (failure) return { how: failure, servedMs: 0 }
      const since = performance.now()
      const silence = new Promise<string>((resolve) => {
        sign = startHeartbeat({
          url: health,
          signal: over.signal,
          onSilent: () => resolve('was silent for 5 s'),
        })
      })
      processes.look()
      proxy.open(wrangler.port)
      onReady()
      return { how: await Promise.race([...ended, silence]), servedMs: performance.now() - since }
    } finally {
      over.abort()
      proxy.hold()
      processes.stop()
      await endGroup(wrangler.pid, graceMs)
      current = undefined
    }
  }

  async function liveAgain({ how, servedMs }: Life): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted;) {
      const broken = servedMs === 0
      if (broken) output.tell()
      log(
        `The runtime ${how}. ${broken ? 'It is started again as soon as its source changes' : 'Starting it again'}.`,
      )
      const pauseMs = broken ? maxPauseMs : Math.min(500 * (2 ** failures - 1), maxPauseMs)
      await pauseOrChange(pauseMs, broken ? where.root : undefined, stopping.signal)
      if (stopping.signal.aborted) return
      output.keepBack()
      const life = await live(() => {
        output.pass()
        log('The runtime is back.')
      }).catch((error: unknown) => ({ how: `could not be started: ${String(error)}`, servedMs: 0 }))
      ;({ how, servedMs } = life)
      failures = servedMs > stableAfterMs ? 0 : failures + 1
    }
  }

  return {
    /** Resolves when it answers for the first time; rejects, with its output told, if that never happens. */
    start(): Promise<void> {
      return new Promise((resolve, reject) => {
        supervision = live(resolve).then(async (life) => {
          if (life.servedMs > 0) await liveAgain(life)
          else {
            output.tell()
            reject(new Error(`The runtime ${life.how} before it was ready: what it said is above.`))
          }
        })
        supervision.catch(reject)
      })
    },
    /** A request was answered: however busy it is, the runtime is alive. */
    sign: () => sign(),
    async stop({ hurry = false } = {}): Promise<void> {
      graceMs = hurry ? 0 : 1_500
      stopping.abort()
      await supervision.catch(() => {})
    },
    /** For the very end, when nothing can be awaited any more. */
    kill: () => current && signalGroup(current.pid, 'SIGKILL'),
  }
}

/** Resolves with undefined at the first answer, else with what went wrong. */
async function untilAnswering(url: string, signal: AbortSignal): Promise<string | undefined> {
  const deadline = performance.now() + startWithinMs
  while (!signal.aborted && performance.now() < deadline) {
    if (await isAnswering(url, 5_000)) return undefined
    await sleep(100)
  }
  return `did not answer within ${startWithinMs / 1_000} s`
}
