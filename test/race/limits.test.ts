import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mostInAWindow, mostSurelyInAWindow, wrongHeaders, wronglyRefused } from '../support/admissions.ts'
import { arrivals, once, runLoad, untilRefused, type Client } from '../support/limit-load.ts'
import { costlyControl } from '../support/costly-control.ts'
import { makeMutant, type Mutation } from '../support/mutant.ts'
import { skipOrFail } from '../support/postgres.ts'
import { startStack, type Stack } from '../support/stack.ts'

const isFull = process.env['SELVEDGE_PROOF'] === 'full'

const object = 'src/limits/sliding-window.do.ts'

/** The object tells each of its admissions: the log that everything else is held against. */
const telling: Mutation = {
  file: object,
  remove: '    return taken\n',
  put: '    if (taken.admitted) console.log(`admission ${this.ctx.id.name} ${taken.at}`)\n    return taken\n',
}

type Window = { points: number; windowMs: number }

const start = async ({ points, windowMs }: Window, mutations: Mutation[] = []) => {
  const copy = makeMutant([telling, ...mutations])
  const LIMITS = JSON.stringify({ global: { points, duration: windowMs / 1_000 } })
  // Without Redis `global` counts in the objects.
  const env = { LIMITS, LOG_LEVEL: 'warn', REDIS_URL: 'off' }
  const stack = await startStack({ cwd: copy.folder, env })
  const stop = async () => {
    await stack.stop()
    copy.remove()
  }
  return { stack, stop }
}

const clientOf = ({ api }: Stack, address: string): Client => ({ api, address, connections: 200 })

/** Times of an address's admissions, ascending. */
const logOf = (stack: Stack, { address }: Client): number[] =>
  [...stack.output().matchAll(/admission ip:(\S+) (\d+)/g)]
    .flatMap(([, ip, at]) => (ip === address ? [Number(at)] : []))
    .toSorted((a, b) => a - b)

/** The log, once it tells of every request that was let through. */
const logWith = async (stack: Stack, client: Client, seen: { status: number }[]): Promise<number[]> => {
  const admitted = seen.filter(({ status }) => status === 200).length
  for (let waited = 0; waited < 10_000 && logOf(stack, client).length < admitted; waited += 100)
    await sleep(100)
  return logOf(stack, client)
}

const run = async (stack: Stack, client: Client, window: Window, load: number) => {
  const durationMs = Math.max(4_000, 2.2 * window.windowMs)
  const seen = await runLoad(client, arrivals(window, load, durationMs), durationMs)
  return { seen, log: await logWith(stack, client, seen) }
}

const windows: Window[] = (isFull ? [5, 100, 1_000] : [20]).flatMap((points) =>
  (isFull ? [1_000, 10_000, 60_000] : [1_000]).map((windowMs) => ({ points, windowMs })),
)

/** Fills the window, kills the runtime in its middle, and goes on. */
const throughAKill = async (stack: Stack, window: Window) => {
  const client = clientOf(stack, '127.0.0.6')
  await untilRefused(client)
  const { pid, runtimePids } = stack.info()
  for (const one of runtimePids.filter((runtimePid) => runtimePid !== pid)) process.kill(one, 'SIGKILL')
  const durationMs = window.windowMs * 1.5
  const seen = await runLoad(client, arrivals(window, 2, durationMs), durationMs)
  return { seen, log: await logWith(stack, client, seen) }
}

const long = { points: 20, windowMs: 15_000 }

if (process.platform !== 'linux') {
  skipOrFail('limits over 200 connections', 'only Linux has all of 127.0.0.0/8 as addresses of its own')
} else {
  describe.each(windows)('$points in $windowMs ms, 200 connections, bursts around edges', (window) => {
    let stack: Stack
    let stop: () => Promise<void>
    beforeAll(async () => {
      ;({ stack, stop } = await start(window))
    })
    afterAll(() => stop())

    // Each load comes from an address of its own: nothing is left of the one before.
    it.each([
      [0.9, '127.0.0.2'],
      [1, '127.0.0.3'],
      [10, '127.0.0.4'],
    ])(
      'at %d times the limit: no window holds more, no refusal is wrong, headers tell the truth',
      async (load, address) => {
        const client = clientOf(stack, address)
        const { seen, log } = await run(stack, client, window, load)
        expect(seen.filter(({ status }) => ![200, 429].includes(status))).toEqual([])
        expect(log).toHaveLength(seen.filter(({ status }) => status === 200).length)
        expect(mostInAWindow(log, window.windowMs)).toBeLessThanOrEqual(window.points)
        expect(mostSurelyInAWindow(seen, window.windowMs)).toBeLessThanOrEqual(window.points)
        expect(wronglyRefused(log, seen, window)).toBe(0)
        expect(wrongHeaders(log, seen, window)).toEqual([])
        if (load > 1) expect(mostInAWindow(log, window.windowMs)).toBe(window.points)
      },
    )

    it('admits whoever waits as long as Retry-After says', async () => {
      const client = clientOf(stack, '127.0.0.5')
      const { received, retryAfter } = await untilRefused(client)
      await sleep(received + retryAfter * 1_000 - Date.now())
      expect((await once(client)).status).toBe(200)
    })
  })

  describe('a runtime that is killed in mid-window', () => {
    it('has forgotten no admission', async () => {
      const { stack, stop } = await start(long)
      try {
        const { log } = await throughAKill(stack, long)
        expect(log.length).toBeGreaterThan(long.points)
        expect(mostInAWindow(log, long.windowMs)).toBe(long.points)
      } finally {
        await stop()
      }
    })
  })

  describe('with its guards taken out, as a control of the checks above', () => {
    // Long enough for round trips on a busy machine not to blur it.
    const short = { points: 20, windowMs: 5_000 }

    costlyControl(
      'a window that ends too early is found',
      [{ file: 'src/limits/window.ts', remove: '+ windowMs + 1 - at)', put: '+ windowMs / 2 - at)' }],
      async (mutations) => {
        const { stack, stop } = await start(short, mutations)
        try {
          const { seen, log } = await run(stack, clientOf(stack, '127.0.0.7'), short, 10)
          expect(mostInAWindow(log, short.windowMs)).toBeGreaterThan(short.points)
          expect(mostSurelyInAWindow(seen, short.windowMs)).toBeGreaterThan(short.points)
        } finally {
          await stop()
        }
      },
    )

    costlyControl(
      'a window that ends too late is found',
      [{ file: 'src/limits/window.ts', remove: '+ windowMs + 1 - at)', put: '+ windowMs * 2 - at)' }],
      async (mutations) => {
        const { stack, stop } = await start(short, mutations)
        try {
          const { seen, log } = await run(stack, clientOf(stack, '127.0.0.8'), short, 10)
          expect(wronglyRefused(log, seen, short)).toBeGreaterThan(seen.length * 0.005)
        } finally {
          await stop()
        }
      },
    )

    costlyControl(
      'an object that does not load what it has stored is found',
      [
        {
          file: object,
          remove: "[...this.ctx.storage.kv.list<Page>({ prefix: 'page/' })]",
          put: '([] as [string, Page][])',
        },
      ],
      async (mutations) => {
        const { stack, stop } = await start(long, mutations)
        try {
          const { log } = await throughAKill(stack, long)
          expect(mostInAWindow(log, long.windowMs)).toBeGreaterThan(long.points)
        } finally {
          await stop()
        }
      },
    )
  })
}
