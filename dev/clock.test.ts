import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { dueCrons, look, readCrons, startClock } from './clock.ts'

const at = (time: string) => new Date(`2026-${time}:00Z`)

describe('an expression is due as on Cloudflare', () => {
  it.each([
    ['every minute', '* * * * *', '11-20T07:45', '11-20T07:46'],
    ['in UTC', '17 3 * * *', '11-20T03:17', '11-20T03:18'],
    ['in steps', '*/15 * * * *', '11-20T07:45', '11-20T07:46'],
    ['weekday 1 is Sunday', '0 17 * * 1', '11-22T17:00', '11-23T17:00'],
    ['weekdays have names', '10 7 * * mon-fri', '11-20T07:10', '11-21T07:10'],
    ['either of day and weekday suffices', '0 0 13 * fri', '11-20T00:00', '11-21T00:00'],
    ['the last Friday', '0 18 * * friL', '11-27T18:00', '11-20T18:00'],
    ['the last working day of the month', '59 23 LW * *', '11-30T23:59', '11-29T23:59'],
    ['the second Monday', '0 10 * * MON#2', '11-09T10:00', '11-16T10:00'],
  ])('%s: %s', (_, cron, due, notDue) => {
    expect(dueCrons([cron], at(due))).toEqual([cron])
    if (cron !== '* * * * *') expect(dueCrons([cron], at(notDue))).toEqual([])
  })

  it('and only those are named that are', () => {
    expect(dueCrons(['0 * * * *', '5 * * * *', '*/5 * * * *'], at('11-20T01:05'))).toEqual([
      '5 * * * *',
      '*/5 * * * *',
    ])
  })
})

describe('a look at the clock', () => {
  const minute = at('11-20T07:45').getTime()

  it('serves a minute once, however often it looks', () => {
    expect(look(minute + 3, minute - 60_000)).toEqual({ minute, waitMs: 10_000 })
    expect(look(minute + 10_003, minute)).toEqual({ waitMs: 10_000 })
  })
  it('waits no longer than to the next minute, and a timer that rings early waits on', () => {
    expect(look(minute + 59_000, minute)).toEqual({ waitMs: 1_000 })
    expect(look(minute + 59_999, minute)).toEqual({ waitMs: 1 })
  })
  it('goes on with the present minute after a sleep, and with none when the clock was set back', () => {
    expect(look(minute + 8 * 3_600_000, minute).minute).toBe(minute + 8 * 3_600_000)
    expect(look(minute - 3_600_000, minute).minute).toBeUndefined()
  })
})

describe('the clock', () => {
  beforeEach(() => void vi.useFakeTimers({ now: at('11-20T07:44').getTime() + 30_000 }))
  afterEach(() => void vi.useRealTimers())

  it('fires each due expression once a minute and outlives failures of the Worker and of the file', async () => {
    const log = vi.fn()
    const fire = vi.fn(() => Promise.reject(new Error('503')))
    let broken = false
    const crons = () => {
      if (broken) throw new Error('line 3')
      return ['45 * * * *', '*/2 * * * *']
    }
    const clock = startClock({ crons, fire, log })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(fire.mock.calls).toEqual([['45 * * * *', at('11-20T07:45').getTime(), expect.any(AbortSignal)]])
    expect(log).toHaveBeenLastCalledWith('cron "45 * * * *" failed: 503')
    broken = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log).toHaveBeenLastCalledWith('[triggers] of wrangler.toml cannot be read: line 3')
    broken = false
    await vi.advanceTimersByTimeAsync(120_000)
    expect(fire.mock.calls.slice(1)).toEqual([
      ['*/2 * * * *', at('11-20T07:48').getTime(), expect.any(AbortSignal)],
    ])
    clock.stop()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(fire).toHaveBeenCalledTimes(2)
  })

  it('leaves crons that are under way when it is stopped, and says nothing of them', async () => {
    const log = vi.fn()
    const fire = vi.fn(
      (_cron: string, _minute: number, stopped: AbortSignal) =>
        new Promise<void>((_, reject) => {
          stopped.addEventListener('abort', () => reject(new Error('left')))
        }),
    )
    const clock = startClock({ crons: () => ['* * * * *'], fire, log })
    await vi.advanceTimersByTimeAsync(30_000)
    clock.stop()
    await vi.advanceTimersByTimeAsync(0)
    expect(fire).toHaveBeenCalledOnce()
    await expect(fire.mock.results[0]?.value).rejects.toThrow('left')
    expect(log).not.toHaveBeenCalled()
  })
})

it('the expressions are those of wrangler.toml', () => {
  const crons = readCrons(join(import.meta.dirname, '../wrangler.toml'))
  expect(crons.length).toBeGreaterThan(0)
  expect(() => dueCrons(crons, new Date())).not.toThrow()
})
