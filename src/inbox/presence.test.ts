import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  dueAt,
  grace,
  nobody,
  sourceLife,
  step,
  subscriptionLife,
  type Effect,
  type Event,
  type Report,
  type State,
} from './presence.ts'

const run = (state: State, ...events: Event[]): { state: State; effects: Effect[] } => {
  const effects: Effect[] = []
  for (const event of events) {
    const next = step(state, event)
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects }
}

const reported = (now: number, report: Partial<Report> = {}): Event => ({
  type: 'reported',
  now,
  report: { source: 'room', sockets: 1, incarnation: 1, n: now, ...report },
})

const attended = (now: number, watches: boolean, report: Partial<Report> = {}): Event => ({
  type: 'attended',
  room: 'a',
  watches,
  now,
  report: { source: 'room/a', sockets: 0, incarnation: 1, n: now, ...report },
})

const told = (effects: Effect[]) => effects.flatMap((effect) => (effect.do === 'tell' ? [effect] : []))

describe('presence', () => {
  it('is online with the first socket, and offline ten seconds after the last', () => {
    const { state: online } = run(nobody, reported(1_000))
    expect(online.presence).toEqual({ status: 'online', lastSeen: null, version: 1 })
    const { state: silent } = run(online, reported(2_000, { sockets: 0 }))
    expect(silent.presence.status).toBe('online')
    expect(dueAt(silent)).toBe(2_000 + grace)
    expect(run(silent, { type: 'due', now: 1_999 + grace }).state.presence.status).toBe('online')
    const { state: offline } = run(silent, { type: 'due', now: 2_000 + grace })
    expect(offline.presence).toEqual({ status: 'offline', lastSeen: 2_000, version: 2 })
  })

  it('does not blink when a page is loaded again', () => {
    const { state, effects } = run(
      nobody,
      reported(1_000),
      reported(2_000, { sockets: 0 }),
      reported(3_000),
      { type: 'due', now: 2_000 + grace },
    )
    expect(state.presence).toEqual({ status: 'online', lastSeen: null, version: 1 })
    expect(told(effects)).toEqual([])
  })

  it('is of all devices', () => {
    const { state } = run(
      nobody,
      reported(1_000),
      reported(1_001, { source: 'inbox' }),
      reported(2_000, { sockets: 0 }),
      { type: 'due', now: 60_000 },
    )
    expect(state.presence.status).toBe('online')
  })

  it('takes no report that a newer one has overtaken, not of the incarnation before either', () => {
    const { state } = run(
      nobody,
      reported(1_000, { n: 2, sockets: 0 }),
      reported(1_001, { n: 1, sockets: 1 }),
      reported(1_002, { source: 'other', incarnation: 2, n: 0, sockets: 0 }),
      reported(1_003, { source: 'other', incarnation: 1, n: 9, sockets: 3 }),
    )
    expect(state.presence.status).toBe('offline')
  })

  it('takes a source that has fallen silent for dead', () => {
    const { state } = run(nobody, reported(0), { type: 'due', now: sourceLife })
    expect(state.silentSince).toBe(sourceLife)
    expect(run(state, { type: 'due', now: sourceLife + grace }).state.presence.status).toBe('offline')
  })

  it('is told to subscribers until they have it, and to none whose subscription has lapsed', () => {
    const { state, effects } = run(nobody, attended(0, true), reported(1_000))
    expect(told(effects)).toEqual([expect.objectContaining({ room: 'a', presence: state.presence })])
    expect(dueAt(state)).toBe(2_000)
    expect(told(run(state, { type: 'due', now: 1_999 }).effects)).toEqual([])
    const again = run(state, { type: 'due', now: 2_000 })
    expect(told(again.effects)).toHaveLength(1)
    expect(dueAt(again.state)).toBe(4_000)
    const { state: known } = run(again.state, { type: 'told', room: 'a', version: 1 })
    expect(told(run(known, { type: 'due', now: 60_000 }).effects)).toEqual([])
    const { state: lapsed } = run(again.state, { type: 'due', now: subscriptionLife })
    expect(lapsed.subscribers.size).toBe(0)
  })

  it('does not end a subscription for a report that comes late', () => {
    const { state } = run(
      nobody,
      attended(5, true, { incarnation: 2, n: 1 }),
      attended(6, false, { incarnation: 1, n: 9 }),
    )
    expect([...state.subscribers.keys()]).toEqual(['a'])
    expect(run(state, attended(7, false, { incarnation: 2, n: 2 })).state.subscribers.size).toBe(0)
  })

  it('keeps of two answers the higher version', () => {
    const { state } = run(
      nobody,
      attended(0, true),
      reported(1),
      { type: 'told', room: 'a', version: 1 },
      { type: 'told', room: 'a', version: 0 },
    )
    expect(state.subscribers.get('a')?.told).toBe(1)
  })

  it('forgets everything in the end, so that no alarm is left', () => {
    let { state } = run(nobody, attended(0, true), reported(0))
    for (let turns = 0; turns < 100; turns++) {
      const next = dueAt(state)
      if (next === undefined) break
      state = run(state, { type: 'due', now: next }).state
    }
    expect(dueAt(state)).toBeUndefined()
    expect(state.presence.status).toBe('offline')
  })

  it('is what the newest reports say, in whatever order and however often they come', () => {
    const reports = fc.array(
      fc.record({
        source: fc.constantFrom('a', 'b', 'c'),
        sockets: fc.nat({ max: 3 }),
        incarnation: fc.nat({ max: 2 }),
        n: fc.nat({ max: 5 }),
      }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(reports, (all) => {
        // The same position always says the same.
        const unique = new Map(all.map((one) => [`${one.source} ${one.incarnation} ${one.n}`, one]))
        const said = all.map((one) => unique.get(`${one.source} ${one.incarnation} ${one.n}`) ?? one)
        const events = said.map((report): Event => ({ type: 'reported', report, now: 1_000 }))
        const { state } = run(nobody, ...events, { type: 'due', now: 1_000 + grace })
        const newest = new Map<string, Report>()
        for (const one of said) {
          const known = newest.get(one.source)
          const rank = ({ incarnation, n }: Report) => incarnation * 1_000 + n
          if (known === undefined || rank(one) > rank(known)) newest.set(one.source, one)
        }
        const lives = [...newest.values()].some(({ sockets }) => sockets > 0)
        expect(state.presence.status).toBe(lives ? 'online' : 'offline')
      }),
      { numRuns: 1_000 },
    )
  })
})
