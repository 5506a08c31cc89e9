import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  digestAfter,
  digestAt,
  dueAt,
  nothingUnread,
  step,
  unreadOf,
  type Event,
  type State,
} from './unread.ts'

const run = (state: State, ...events: Event[]): State =>
  events.reduce((now, event) => step(now, event).state, state)

const reported = (unread: number, version: number, now = 0, conversationId = 'a'): Event => ({
  type: 'reported',
  now,
  report: { conversationId, unread, version },
})

/** The one that was due ten minutes after the first unread message, at 0. */
const ordered = (offlineSince: number | null): Event => ({ type: 'digested', now: digestAfter, offlineSince })

describe('unread', () => {
  it('is what the newest report of each room says, whatever came first', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ unread: fc.nat(9), version: fc.nat(99) }), {
          selector: ({ version }) => version,
          minLength: 1,
        }),
        fc.infiniteStream(fc.nat()),
        (reports, order) => {
          const shuffled = reports
            .map((one) => ({ one, at: order.next().value }))
            .toSorted((a, b) => a.at - b.at)
          const state = run(nothingUnread, ...shuffled.map(({ one }) => reported(one.unread, one.version)))
          const newest = reports.toSorted((a, b) => b.version - a.version)[0]
          expect(state.conversations.get('a')?.unread).toBe(newest?.unread)
        },
      ),
    )
  })

  it('tells only what is news', () => {
    const { state, effects } = step(nothingUnread, reported(2, 1))
    expect(effects).toContainEqual({ do: 'tellUnread', conversationId: 'a', unread: 2 })
    expect(step(state, reported(2, 2)).effects).toEqual([expect.objectContaining({ do: 'saveUnread' })])
    expect(step(state, reported(2, 1)).effects).toEqual([])
    expect(unreadOf(state)).toEqual([{ conversationId: 'a', unread: 2 }])
  })
})

describe('the digest', () => {
  it('is wanted after ten minutes of unread and offline, whichever began last', () => {
    const state = run(nothingUnread, reported(1, 1, 5_000))
    expect(digestAt(state, null)).toBeUndefined()
    expect(digestAt(state, 1_000)).toBe(5_000 + digestAfter)
    expect(digestAt(state, 9_000)).toBe(9_000 + digestAfter)
    expect(digestAt(nothingUnread, 1_000)).toBeUndefined()
  })

  it('does not wait longer because more is written', () => {
    const state = run(nothingUnread, reported(1, 1, 5_000), reported(2, 2, 8_000), reported(1, 3, 9_000, 'b'))
    expect(digestAt(state, 0)).toBe(5_000 + digestAfter)
  })

  it('is one, until the user was here or has read everything', () => {
    const digested = run(nothingUnread, reported(1, 1), ordered(0), reported(2, 2, 1_000))
    expect(digestAt(digested, 0)).toBeUndefined()
    expect(digestAt(run(digested, { type: 'online' }), 0)).toBeDefined()
    expect(digestAt(run(digested, reported(0, 3), reported(1, 4, 7_000)), 0)).toBe(7_000 + digestAfter)
  })

  it('comes again for who came back while it was ordered, or read it all', () => {
    const unread = run(nothingUnread, reported(1, 1))
    expect(run(unread, ordered(null)).digested).toBe(false)
    // And went again.
    expect(run(unread, ordered(digestAfter - 1)).digested).toBe(false)
    expect(run(unread, reported(0, 2), ordered(0)).digested).toBe(false)
    expect(run(unread, ordered(0)).digested).toBe(true)
  })

  it('leaves no alarm behind where nothing is unread', () => {
    const state = run(nothingUnread, reported(1, 1), reported(0, 2, 1_000))
    const next = dueAt(state, 0)
    expect(next).toBe(1_000 + 60 * 60_000)
    expect(dueAt(run(state, { type: 'due', now: next ?? 0 }), 0)).toBeUndefined()
  })
})
