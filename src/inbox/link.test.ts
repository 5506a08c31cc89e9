import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createLink } from './link.ts'
import type { Presence } from './presence.ts'

/** An inbox on storage that outlives it, whose rooms answer when the test lets them. */
const createWorld = (kept = new Map<string, unknown>()) => {
  const map = <V>() => ({ load: () => new Map<string, V>(), save: () => undefined, drop: () => undefined })
  const calls: { room: string; presence: Presence; answer: PromiseWithResolvers<boolean> }[] = []
  const link = createLink({
    store: {
      loadPresence: () => undefined,
      savePresence: () => undefined,
      sources: map(),
      subscribers: map(),
    },
    kv: {
      get: <T>(key: string) => kept.get(key) as T | undefined,
      put: (key, value) => void kept.set(key, value),
    },
    rooms: {
      getByName: (room) => ({
        presence: async ({ presence }) => {
          const answer = Promise.withResolvers<boolean>()
          calls.push({ room, presence, answer })
          return await answer.promise
        },
      }),
    },
    userId: () => 'ada',
    waitUntil: () => undefined,
    changed: () => undefined,
    cameOnline: () => undefined,
    log: { info: () => undefined },
  })
  let n = 0
  const attend = (room: string, sockets: number, watches: boolean, now = (n += 1)) =>
    link.attend({ room, sockets, watches, incarnation: 1, n: (n += 1) }, now)
  return { link, calls, kept, attend }
}

describe('the calls of a roll', () => {
  it('go to the rooms that held sockets, once in an isolate', async () => {
    const { link, calls, attend } = createWorld()
    attend('a', 1, false)
    attend('b', 0, false)
    const roll = link.callRoll('first')
    expect(calls.map(({ room }) => room)).toEqual(['a'])
    calls[0]?.answer.resolve(false)
    await roll
    await link.callRoll('first')
    expect(calls).toHaveLength(1)
    void link.callRoll('second')
    expect(calls).toHaveLength(2)
  })

  it('are made again when one did not arrive', async () => {
    const { link, calls, attend } = createWorld()
    attend('a', 1, false)
    const roll = link.callRoll('first')
    calls[0]?.answer.reject(new Error('away'))
    await roll
    void link.callRoll('first')
    expect(calls).toHaveLength(2)
  })
})

describe('a room that wants to hear no more', () => {
  it('is told no more, unless it has subscribed since it said so', async () => {
    const { link, calls, attend } = createWorld()
    attend('hall', 0, true, 1)
    attend('a', 1, false, 2)
    // It is told that the user is online, and has nobody there just then.
    expect(calls.map(({ room }) => room)).toEqual(['hall'])
    attend('hall', 0, true, 3)
    calls[0]?.answer.resolve(false)
    await setImmediate()
    attend('a', 0, false, 4)
    link.due(4 + 10_000)
    expect(calls.map(({ room, presence }) => [room, presence.status])).toEqual([
      ['hall', 'online'],
      ['hall', 'offline'],
    ])
    calls[1]?.answer.resolve(false)
    await setImmediate()
    attend('a', 1, false, 20_000)
    expect(calls).toHaveLength(2)
  })
})
