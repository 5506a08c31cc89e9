import { describe, expect, it } from 'vitest'
import {
  dueAt,
  nobodyHere,
  renewAfter,
  step,
  watchedMembers,
  type Effect,
  type Event,
  type State,
} from './attendance.ts'

const run = (state: State, ...events: Event[]): { state: State; effects: Effect[] } => {
  const effects: Effect[] = []
  for (const event of events) {
    const next = step(state, event)
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects }
}

const looked = (now: number, sockets: Record<string, number>, members = ['ada', 'bob']): Event => ({
  type: 'looked',
  now,
  room: { members, sockets: new Map(Object.entries(sockets)) },
})

const online = { status: 'online', lastSeen: null, version: 1 } as const

const answered = (userId: string, sockets: number, watches = true, now = 0, presence = online): Event => ({
  type: 'answered',
  userId,
  said: { sockets, watches },
  presence,
  now,
})

const said = (effects: Effect[]) =>
  effects.flatMap((effect) => (effect.do === 'say' ? [[effect.userId, effect.said]] : []))

describe('attendance', () => {
  it('tells of sockets and watches every member, once', () => {
    const { state, effects } = run(nobodyHere, looked(0, { ada: 1 }))
    expect(said(effects)).toEqual([
      ['ada', { sockets: 1, watches: true }],
      ['bob', { sockets: 0, watches: true }],
    ])
    const after = run(state, answered('ada', 1), answered('bob', 0), looked(1_000, { ada: 1 }))
    expect(said(after.effects)).toEqual([])
  })

  it('takes back what it said when the last socket is gone, and then remembers nothing', () => {
    const { state } = run(nobodyHere, looked(0, { ada: 1 }), answered('ada', 1), answered('bob', 0))
    const gone = run(state, looked(1, {}))
    expect(said(gone.effects)).toEqual([
      ['ada', { sockets: 0, watches: false }],
      ['bob', { sockets: 0, watches: false }],
    ])
    const end = run(gone.state, answered('ada', 0, false), answered('bob', 0, false))
    expect(end.state.attendees.size).toBe(0)
    expect(dueAt(end.state)).toBeUndefined()
  })

  it('says again after a restart what may not have arrived, and zero for who had sockets', () => {
    const { state } = run(nobodyHere, looked(0, { ada: 1 }), answered('bob', 0))
    // The process died: what was on disk is back, the sockets are not.
    const restarted = { attendees: state.attendees, failures: new Map() }
    expect(said(run(restarted, looked(1, {})).effects)).toContainEqual([
      'ada',
      { sockets: 0, watches: false },
    ])
    expect(said(run(restarted, looked(1, { ada: 1 })).effects)).toEqual([
      ['ada', { sockets: 1, watches: true }],
    ])
  })

  it('does not say two things at once to an inbox', () => {
    const { state } = run(nobodyHere, looked(0, { ada: 1 }))
    expect(said(step(state, looked(1, { ada: 2 }), new Set(['ada', 'bob'])).effects)).toEqual([])
    const after = run(state, answered('ada', 1), answered('bob', 0), looked(2, { ada: 2 }))
    expect(said(after.effects)).toEqual([['ada', { sockets: 2, watches: true }]])
  })

  it('tries again with growing pauses', () => {
    let { state } = run(nobodyHere, looked(0, { ada: 1 }, ['ada']), { type: 'failed', userId: 'ada', now: 0 })
    expect(dueAt(state)).toBe(1_000)
    expect(said(run(state, looked(999, { ada: 1 }, ['ada'])).effects)).toEqual([])
    const again = run(state, looked(1_000, { ada: 1 }, ['ada']))
    expect(said(again.effects)).toHaveLength(1)
    state = run(again.state, { type: 'failed', userId: 'ada', now: 1_000 }).state
    expect(dueAt(state)).toBe(3_000)
    expect(dueAt(run(state, answered('ada', 1, true, 3_000)).state)).toBe(3_000 + renewAfter)
  })

  it('renews what it has said', () => {
    const { state } = run(nobodyHere, looked(0, { ada: 1 }, ['ada']), answered('ada', 1))
    expect(said(run(state, looked(renewAfter - 1, { ada: 1 }, ['ada'])).effects)).toEqual([])
    expect(said(run(state, looked(renewAfter, { ada: 1 }, ['ada'])).effects)).toHaveLength(1)
  })

  it('watches in a large room only those who are there', () => {
    const members = Array.from({ length: watchedMembers + 1 }, (_, n) => `user ${n}`)
    const { effects } = run(nobodyHere, looked(0, { 'user 7': 1 }, members))
    expect(said(effects)).toEqual([['user 7', { sockets: 1, watches: true }]])
  })

  it('shows in a large room nobody who has left as still there', () => {
    const members = Array.from({ length: watchedMembers + 1 }, (_, n) => `user ${n}`)
    const { state } = run(
      nobodyHere,
      looked(0, { 'user 7': 1, 'user 8': 1 }, members),
      answered('user 7', 1),
      answered('user 8', 1),
    )
    const gone = { do: 'tell', userId: 'user 7', presence: { ...online, status: 'offline' } }
    expect(run(state, looked(1, { 'user 8': 1 }, members)).effects).toContainEqual(gone)
    // Nobody is there to see it, as after a restart; or they are no member any more, and it is not known where they are.
    expect(run(state, looked(1, {}, members)).effects).not.toContainEqual(gone)
    const others = members.filter((one) => one !== 'user 7')
    expect(run(state, looked(1, { 'user 8': 1 }, others)).effects).not.toContainEqual(gone)
  })

  it('is due for nobody to whom a call is under way', () => {
    const { state } = run(nobodyHere, looked(0, { ada: 1 }, ['ada']), {
      type: 'failed',
      userId: 'ada',
      now: 0,
    })
    expect(dueAt(state, new Set(['ada']))).toBeUndefined()
  })

  it('takes of what it hears the higher version, and tells only what is news', () => {
    const { state } = run(nobodyHere, looked(0, { ada: 1 }), answered('bob', 0))
    const offline = { status: 'offline', lastSeen: 5, version: 2 } as const
    const heard = run(state, { type: 'heard', userId: 'bob', presence: offline })
    expect(heard.effects).toContainEqual({ do: 'tell', userId: 'bob', presence: offline })
    const late = run(heard.state, { type: 'heard', userId: 'bob', presence: online }, answered('bob', 0))
    expect(late.effects.filter((effect) => effect.do === 'tell')).toEqual([])
    expect(late.state.attendees.get('bob')?.presence).toEqual(offline)
    expect(run(state, { type: 'heard', userId: 'stranger', presence: offline }).effects).toEqual([])
  })
})
