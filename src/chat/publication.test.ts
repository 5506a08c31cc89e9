import { beforeEach, describe, expect, it } from 'vitest'
import { VersionedMap } from '../shared/versioned-map.ts'
import type { UnreadReport } from './link.ts'
import { createPublication } from './publication.ts'
import type { News } from './repository.ts'
import { emptyRoom, type MemberState, type State } from './room/state.ts'

const member = (userId: string, read: number, left = false): MemberState => ({
  ...{ userId, role: 'customer', version: 1, left, delivered: read, read },
})

/** A room of messages only, so that places and numbers are the same, and a disk that outlives it. */
const world = () => {
  const kv = new Map<string, unknown>([['conversation', 'c']])
  const published = new Map<string, number>()
  let state: State = emptyRoom('e')
  const told: { news: News[]; reports: UnreadReport[][] } = { news: [], reports: [] }
  const lookedUp: number[] = []
  let failure: Error | undefined

  const begin = () =>
    createPublication({
      kv: { get: <T>(key: string) => kv.get(key) as T, put: (key: string, value: unknown) => void kv.set(key, value) },
      state: () => state,
      store: {
        last: () => undefined,
        files: { released: () => [], told: () => false },
        numberAt(seq) {
          lookedUp.push(seq)
          return seq
        },
        publishedRead: (userId) => published.get(userId) ?? 0,
        markPublished(reads) {
          for (const { userId, read } of reads) published.set(userId, read)
        },
      },
      async publish(news) {
        if (failure !== undefined) throw failure
        told.news.push(news)
      },
      async tellUnread(reports) {
        told.reports.push(reports)
      },
    }) // prettier-ignore

  return {
    begin,
    told,
    lookedUp,
    fail: (error: Error | undefined) => (failure = error),
    become(head: number, ...members: MemberState[]) {
      const all = VersionedMap.of(members.map((one) => [one.userId, one]))
      state = { ...state, head, messages: head, members: all }
    },
  }
}

describe('what a room tells others', () => {
  let w = world()
  beforeEach(() => (w = world()))

  it('is of the marks only those that have moved, and each number is looked up once', async () => {
    w.become(10, member('a', 4), member('b', 7))
    const room = w.begin()
    await room.tell()
    expect(w.told.news[0]?.reads.map(({ userId, count }) => [userId, count])).toEqual([
      ['a', 4],
      ['b', 7],
    ])
    w.become(11, member('a', 4), member('b', 11))
    room.changed()
    w.lookedUp.length = 0
    await room.tell()
    expect(w.told.news[1]?.reads).toEqual([{ userId: 'b', read: 11, count: 11 }])
    expect(w.lookedUp).toEqual([11])
    expect(w.told.reports[1]?.map(({ userId, unread }) => [userId, unread])).toEqual([
      ['a', 7],
      ['b', 0],
    ])
  })

  it('leaves nothing unread for who has left', async () => {
    w.become(3, member('a', 1, true))
    await w.begin().tell()
    expect(w.told.reports[0]).toMatchObject([{ userId: 'a', unread: 0 }])
  })

  it('is told again until it has arrived, also after a restart', async () => {
    w.become(5, member('a', 2))
    const room = w.begin()
    w.fail(new Error('the database is away'))
    await expect(room.tell()).rejects.toThrow('the database is away')
    expect([room.isDue(), w.begin().isDue()]).toEqual([true, true])
    w.fail(undefined)
    await w.begin().tell()
    expect(w.told.news[0]?.reads).toEqual([{ userId: 'a', read: 2, count: 2 }])
  })

  it('is nothing when a room wakes without news', async () => {
    w.become(5, member('a', 2))
    const room = w.begin()
    await room.tell()
    expect([room.isDue(), w.begin().isDue()]).toEqual([false, false])
    room.changed()
    expect(w.begin().isDue()).toBe(true)
  })

  it('stays due when something happens while it is told', async () => {
    w.become(5, member('a', 2))
    const room = w.begin()
    const telling = room.tell()
    room.changed()
    await telling
    expect([room.isDue(), w.begin().isDue()]).toEqual([true, true])
  })
})
