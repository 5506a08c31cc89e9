import { describeError } from '../shared/describe-error.ts'
import * as presences from './presence.ts'
import type { createInboxStore } from './store.ts'

type Rooms = {
  getByName: (name: string) => {
    /** Whether the room wants to be told of changes. */
    presence: (told: { userId: string; presence: presences.Presence }) => Promise<boolean>
  }
}

/** What a room has to say of its user. */
export type Attendance = Omit<presences.Report, 'source'> & {
  room: string
  /** Whether the room wants to be told of changes. */
  watches: boolean
}

type Deps = {
  store: Pick<
    ReturnType<typeof createInboxStore>,
    'loadPresence' | 'savePresence' | 'sources' | 'subscribers'
  >
  kv: Pick<SyncKvStorage, 'get' | 'put'>
  rooms: Rooms
  /** Whose inbox this is; undefined until the first call has told it. */
  userId: () => string | undefined
  waitUntil: (work: Promise<unknown>) => void
  /** Something has happened: what is due next may be another moment. */
  changed: () => void
  cameOnline: () => void
  log: { info: (message: string, fields: Record<string, unknown>) => void }
}

/** The inbox itself as a source of presence, beside rooms. */
const ownSockets = 'inbox'

const sourceOf = (room: string): string => `room/${room}`

const roomOf = (source: string): string | undefined => /^room\/(.+)$/.exec(source)?.[1]

/** Between an inbox and the rooms of its user: saves, and tells the rooms, what presence.ts decides. */
export const createLink = ({ store, kv, rooms, userId, waitUntil, changed, cameOnline, log }: Deps) => {
  let state: presences.State = {
    ...presences.nobody,
    ...store.loadPresence(),
    sources: store.sources.load(),
    subscribers: store.subscribers.load(),
  }

  const run = (event: presences.Event): void => {
    const before = state.presence
    const next = presences.step(state, event)
    ;({ state } = next)
    for (const effect of next.effects) perform(effect)
    if (state.presence.status === 'online' && before.status === 'offline') cameOnline()
    changed()
  }

  const perform = (effect: presences.Effect): void => {
    switch (effect.do) {
      case 'savePresence':
        return store.savePresence({ presence: effect.presence, silentSince: effect.silentSince })
      case 'saveSource':
        return store.sources.save(effect.source, effect.value)
      case 'dropSource':
        return store.sources.drop(effect.source)
      case 'saveSubscriber':
        return store.subscribers.save(effect.room, effect.value)
      case 'dropSubscriber':
        return store.subscribers.drop(effect.room)
      case 'tell':
        return waitUntil(tellRoom(effect.room, effect.presence))
    }
  }

  /** Whether it was reached; one that was not is told again when it is due. */
  const tellRoom = async (room: string, presence: presences.Presence): Promise<boolean> => {
    const user = userId()
    if (user === undefined) return false
    try {
      const before = state.subscribers.get(room)?.until
      const watches = await rooms.getByName(room).presence({ userId: user, presence })
      if (watches) run({ type: 'told', room, version: presence.version })
      // One that has subscribed meanwhile said so after it had given this answer.
      else if (state.subscribers.get(room)?.until === before) run({ type: 'unsubscribed', room })
      return true
    } catch (error) {
      log.info('room not told of a presence yet', { room, error: describeError(error) })
      return false
    }
  }

  return {
    /** What a room has to say; answers the presence, which it is told of from now on if it watches. */
    attend({ room, watches, ...said }: Attendance, now: number): presences.Presence {
      run({ type: 'attended', room, watches, report: { source: sourceOf(room), ...said }, now })
      return state.presence
    },

    /** How many sockets the user is known to have at the inbox itself. */
    own: (): number => state.sources.get(ownSockets)?.sockets ?? 0,

    /** How many they are. */
    countOwn(sockets: number, now: number): void {
      const known = state.sources.get(ownSockets)
      if ((known?.sockets ?? 0) === 0 && sockets === 0) return
      run({
        type: 'reported',
        report: { source: ownSockets, sockets, incarnation: 0, n: (known?.n ?? 0) + 1 },
        now,
      })
    },

    /**
     * Rooms that held sockets of the user may have died together with the inbox, and nobody may come back to them: a call
     * begins them again, and then they say what is so. In the isolate in which it slept nothing has died.
     */
    async callRoll(isolate: string): Promise<void> {
      if (kv.get('isolate') === isolate) return
      const rooms = [...state.sources].flatMap(([source, { sockets }]) =>
        sockets > 0 ? (roomOf(source) ?? []) : [],
      )
      const reached = await Promise.all(rooms.map((room) => tellRoom(room, state.presence)))
      // Otherwise the next beginning tries it again.
      if (!reached.includes(false)) kv.put('isolate', isolate)
    },

    /** What was waited for. */
    due: (now: number): void => run({ type: 'due', now }),

    /** When `due` is next wanted, in Unix milliseconds; undefined: nothing is waited for. */
    dueAt: (): number | undefined => presences.dueAt(state),

    /** Unix milliseconds; null: online. */
    offlineSince: (): number | null =>
      state.presence.status === 'online' ? null : (state.presence.lastSeen ?? 0),
  }
}
