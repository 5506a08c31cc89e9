import { describeError } from '../shared/describe-error.ts'
import {
  dueAt,
  nobodyHere,
  step,
  type Attendee,
  type Event,
  type Presence,
  type Room,
  type State,
} from './attendance.ts'
import type { FrameOf } from './protocol.ts'

export type UnreadReport = { userId: string; conversationId: string; unread: number; version: number }

/** The binding to Inbox, as far as it is used here. */
type Inboxes = {
  getByName: (name: string) => {
    attend: (attendance: {
      userId: string
      room: string
      incarnation: number
      n: number
      sockets: number
      watches: boolean
    }) => Promise<Presence>
    unread: (report: UnreadReport) => Promise<void>
  }
}

const presenceFrame = (userId: string, { status, lastSeen }: Presence): FrameOf<'presence'> => ({
  type: 'presence',
  userId,
  status,
  lastSeen: lastSeen === null ? null : new Date(lastSeen).toISOString(),
})

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  kv: Pick<SyncKvStorage, 'get' | 'put' | 'delete' | 'list'>
  inboxes: Inboxes
  /** Whose sockets are here now. */
  look: () => Room
  /** The conversation's id; undefined until the first call has told it. */
  conversation: () => string | undefined
  /** Somebody's presence is news to the room. */
  tell: (frame: FrameOf<'presence'>) => void
  waitUntil: (work: Promise<void>) => void
  /** A call has ended: what is due next may have changed. */
  settled: () => void
  log: { info: Log }
}

const prefix = 'attendee/'

/** Calls about what is unread at once. */
const maxCalls = 32

/**
 * Between a room and the inboxes of its members: sockets and presence, and what is unread. What cannot be told is told
 * again; what was told and never taken back outlives a restart, and is then set right.
 */
export const createLink = ({ kv, inboxes, look, conversation, tell, waitUntil, settled, log }: Deps) => {
  const incarnation = (kv.get<number>('incarnation') ?? 0) + 1
  kv.put('incarnation', incarnation)
  let state: State = {
    ...nobodyHere,
    attendees: new Map(
      [...kv.list<Attendee>({ prefix })].map(([name, value]) => [name.slice(prefix.length), value]),
    ),
  }
  let n = 0
  const busy = new Set<string>()
  /** What each member's inbox has been told is unread; absent: it is not known. */
  const unreadTold = new Map<string, number>()

  const run = (event: Event): void => {
    const next = step(state, event, busy)
    state = next.state
    for (const effect of next.effects) {
      switch (effect.do) {
        case 'save':
          kv.put(`${prefix}${effect.userId}`, effect.attendee)
          break
        case 'drop':
          kv.delete(`${prefix}${effect.userId}`)
          break
        case 'say':
          busy.add(effect.userId)
          waitUntil(say(effect.userId, effect.said))
          break
        case 'tell':
          tell(presenceFrame(effect.userId, effect.presence))
      }
    }
  }

  const say = async (userId: string, said: { sockets: number; watches: boolean }): Promise<void> => {
    const room = conversation() ?? ''
    n += 1
    try {
      const presence = await inboxes.getByName(userId).attend({ userId, room, incarnation, n, ...said })
      run({ type: 'answered', userId, said, presence, now: Date.now() })
    } catch (error) {
      run({ type: 'failed', userId, now: Date.now() })
      log.info('presence not told yet', { userId, error: describeError(error) })
    } finally {
      busy.delete(userId)
      update()
      settled()
    }
  }

  /** After anything that may have changed who is here. */
  const update = (): void => {
    if (conversation() !== undefined) run({ type: 'looked', room: look(), now: Date.now() })
  }

  return {
    /** Which start of the room this is. */
    incarnation,

    update,

    /** An inbox tells of a change; whether it is to go on doing so. */
    heard(userId: string, presence: Presence): boolean {
      run({ type: 'heard', userId, presence })
      return state.attendees.get(userId)?.watches ?? false
    },

    /** What is known of everyone's presence. */
    presences: (): FrameOf<'presence'>[] =>
      [...state.attendees].flatMap(([userId, { presence, watches }]) =>
        presence === null || !watches ? [] : [presenceFrame(userId, presence)],
      ),

    /** In Unix milliseconds; undefined: nothing is due. */
    dueAt: (): number | undefined => dueAt(state, busy),

    /** Tells each inbox what of these is new to it. @throws the first failure, when all have been tried */
    async tellUnread(reports: readonly UnreadReport[]): Promise<void> {
      const news = reports.filter(({ userId, unread }) => unreadTold.get(userId) !== unread)
      const failures: unknown[] = []
      for (let start = 0; start < news.length; start += maxCalls) {
        await Promise.all(
          news.slice(start, start + maxCalls).map(async (report) => {
            // Until it has answered, it may have been told or not.
            unreadTold.delete(report.userId)
            try {
              await inboxes.getByName(report.userId).unread(report)
              unreadTold.set(report.userId, report.unread)
            } catch (error) {
              failures.push(error)
            }
          }),
        )
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
