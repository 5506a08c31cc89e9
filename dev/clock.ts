import { readFileSync } from 'node:fs'
import { Cron } from 'croner'
import { parse } from 'smol-toml'
import { z } from 'zod'

const WranglerConfig = z.object({ triggers: z.object({ crons: z.array(z.string()).default([]) }).optional() })

/** The expressions under [triggers] of wrangler.toml. */
export function readCrons(wranglerToml: string): string[] {
  return WranglerConfig.parse(parse(readFileSync(wranglerToml, 'utf8'))).triggers?.crons ?? []
}

/**
 * Which expressions are due at this minute, as Cloudflare reads them: UTC, weekdays 1 (Sunday) to 7, either of
 * day and weekday suffices. https://developers.cloudflare.com/workers/configuration/cron-triggers/
 */
export function dueCrons(crons: readonly string[], minute: Date): string[] {
  const options = { paused: true, timezone: 'UTC', mode: '5-part', alternativeWeekdays: true } as const
  return crons.filter((expression) => new Cron(expression, options).match(minute))
}

const minuteMs = 60_000

/**
 * One look at the wall clock: the minute to serve now, if it has not been served, and how long to wait for the
 * next look. Minutes that passed while the machine slept are not made up for, just as a deploy's are not.
 */
export function look(now: number, servedMinute: number): { minute?: number; waitMs: number } {
  const minute = Math.floor(now / minuteMs) * minuteMs
  // Never longer than 10 s, so that a clock that was set, or a machine that woke, is noticed within the minute.
  const waitMs = Math.min(minute + minuteMs - now, 10_000)
  return minute > servedMinute ? { minute, waitMs } : { waitMs }
}

type ClockOptions = {
  crons: () => string[]
  fire: (cron: string, minute: number, stopped: AbortSignal) => Promise<void>
  log: (message: string) => void
}

/**
 * Fires each expression once in every minute it is due. What fails is logged and does not stop the clock. A cron may
 * take half a minute: when the clock is stopped, nobody waits for it.
 */
export function startClock({ crons, fire, log }: ClockOptions) {
  const stopped = new AbortController()
  const say = (what: string) => (error: unknown) => {
    if (!stopped.signal.aborted) log(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
  // The minute under way at the start counts as served: a restart must not fire a cron twice.
  let served = Math.floor(Date.now() / minuteMs) * minuteMs
  let timer = setTimeout(tick, look(Date.now(), served).waitMs)
  function tick() {
    const { minute, waitMs } = look(Date.now(), served)
    timer = setTimeout(tick, waitMs)
    if (minute === undefined) return
    served = minute
    try {
      for (const cron of dueCrons(crons(), new Date(minute)))
        fire(cron, minute, stopped.signal).catch(say(`cron "${cron}" failed`))
    } catch (error) {
      say('[triggers] of wrangler.toml cannot be read')(error)
    }
  }
  return {
    stop(): void {
      clearTimeout(timer)
      stopped.abort()
    },
  }
}

/** Runs one cron of the Worker behind this address and waits for its end. */
export async function fireCron(
  api: string,
  cron: string,
  { time = Date.now(), signal }: { time?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const url = new URL('/cdn-cgi/local/scheduled', api)
  url.search = new URLSearchParams({ cron, time: String(time) }).toString()
  const response = await fetch(url, signal ? { signal } : {})
  const outcome = await response.text()
  if (!response.ok) throw new Error(`the Worker answered ${response.status} ${outcome.slice(0, 200)}`)
}
