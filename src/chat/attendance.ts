/** A member's presence as the member's inbox has told it; a higher version wins. */
export type Presence = { status: 'online' | 'offline'; lastSeen: number | null; version: number }

/** What the inbox of a member is told: sockets in this room, and whether the room wants to hear of presence. */
type Said = { sockets: number; watches: boolean }

export type Attendee = Said & {
  /** Unix milliseconds of the last call that was answered. */
  at: number
  /** False while a call is on its way: whether it has arrived is not known. */
  sure: boolean
  presence: Presence | null
}

export type State = {
  /** Kept on disk: what inboxes may believe of this room must outlive it. */
  attendees: ReadonlyMap<string, Attendee>
  /** How often in vain in a row, and when the last time; not on disk. */
  failures: ReadonlyMap<string, { times: number; at: number }>
}

export type Event =
  /** Something may have to be said: sockets, members, or time have changed. */
  | { type: 'looked'; room: Room; now: number }
  | { type: 'answered'; userId: string; said: Said; presence: Presence; now: number }
  | { type: 'failed'; userId: string; now: number }
  /** The inbox tells of a change by itself. */
  | { type: 'heard'; userId: string; presence: Presence }

/** Who is a member, and how many sockets each has here. */
export type Room = { members: readonly string[]; sockets: ReadonlyMap<string, number> }

export type Effect =
  | { do: 'save'; userId: string; attendee: Attendee }
  | { do: 'drop'; userId: string }
  | { do: 'say'; userId: string; said: Said }
  /** To everyone in the room. */
  | { do: 'tell'; userId: string; presence: Presence }

type Step = { state: State; effects: Effect[] }

/** Members above which a room watches those who are connected to it, and no others. */
export const watchedMembers = 100

/** Milliseconds after which what was said is said again, well before the inbox forgets it. */
export const renewAfter = 4 * 60_000

/** Milliseconds before a call that failed is tried again; doubled each time. */
const retryAfter = 1_000
const maxRetry = 60_000

export const nobodyHere: State = { attendees: new Map(), failures: new Map() }

const wantedOf = ({ members, sockets }: Room): Map<string, Said> => {
  const isWatching = sockets.size > 0
  const watched = members.length > watchedMembers ? members.filter((one) => sockets.has(one)) : members
  const wanted = new Map<string, Said>()
  if (isWatching) for (const one of watched) wanted.set(one, { sockets: 0, watches: true })
  for (const [userId, count] of sockets) {
    wanted.set(userId, { sockets: count, watches: wanted.get(userId)?.watches ?? false })
  }
  return wanted
}

const nothing: Said = { sockets: 0, watches: false }

const isNothing = ({ sockets, watches }: Said): boolean => sockets === 0 && !watches

const isSame = (a: Said, b: Said): boolean => a.sockets === b.sockets && a.watches === b.watches

const retryAt = ({ times, at }: { times: number; at: number }): number =>
  at + Math.min(maxRetry, retryAfter * 2 ** Math.min(times - 1, 10))

/** Whether an inbox has to be told, once no call to it is under way. */
const isDue = (known: Attendee | undefined, said: Said, now: number): boolean => {
  if (known === undefined) return !isNothing(said)
  if (!known.sure || !isSame(known, said)) return true
  return !isNothing(said) && known.at + renewAfter <= now
}

const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> =>
  new Map(map).set(key, value)

const without = <K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> => {
  if (!map.has(key)) return map
  const rest = new Map(map)
  rest.delete(key)
  return rest
}

/** A member, of whom somebody who is here may know. */
const isSeen = ({ members, sockets }: Room, userId: string): boolean =>
  sockets.size > 0 && members.includes(userId)

/** Before a call leaves it is on disk that it may have arrived: who dies in between says it again. */
const look = (state: State, room: Room, now: number, busy: ReadonlySet<string>): Step => {
  const wanted = wantedOf(room)
  const attendees = new Map(state.attendees)
  const effects: Effect[] = []
  for (const userId of new Set([...wanted.keys(), ...attendees.keys()])) {
    const known = attendees.get(userId)
    const said = wanted.get(userId) ?? nothing
    const failure = state.failures.get(userId)
    const isWaiting = failure !== undefined && retryAt(failure) > now
    if (busy.has(userId) || isWaiting || !isDue(known, said, now)) continue
    const attendee = { ...said, at: known?.at ?? 0, sure: false, presence: known?.presence ?? null }
    attendees.set(userId, attendee)
    effects.push({ do: 'save', userId, attendee }, { do: 'say', userId, said })
    // Nobody will tell this room of them any more: who saw them here must not do so for ever.
    if (
      known?.watches === true &&
      !said.watches &&
      known.presence?.status === 'online' &&
      isSeen(room, userId)
    ) {
      effects.push({ do: 'tell', userId, presence: { ...known.presence, status: 'offline' } })
    }
  }
  return { state: { ...state, attendees }, effects }
}

const isNews = (known: Presence | null | undefined, presence: Presence): boolean =>
  known === null || known === undefined || known.version < presence.version

const hear = (state: State, userId: string, presence: Presence): Step => {
  const known = state.attendees.get(userId)
  if (known === undefined || !isNews(known.presence, presence)) return { state, effects: [] }
  const attendee = { ...known, presence }
  return {
    state: { ...state, attendees: put(state.attendees, userId, attendee) },
    effects: [
      { do: 'save', userId, attendee },
      { do: 'tell', userId, presence },
    ],
  }
}

const answer = (
  state: State,
  { userId, said, presence, now }: Extract<Event, { type: 'answered' }>,
): Step => {
  const known = state.attendees.get(userId)
  const failures = without(state.failures, userId)
  if (isNothing(said)) {
    return {
      state: { attendees: without(state.attendees, userId), failures },
      effects: [{ do: 'drop', userId }],
    }
  }
  const news = isNews(known?.presence, presence)
  const attendee = { ...said, at: now, sure: true, presence: news ? presence : (known?.presence ?? null) }
  return {
    state: { attendees: put(state.attendees, userId, attendee), failures },
    effects: [{ do: 'save', userId, attendee }, ...(news ? [{ do: 'tell', userId, presence } as const] : [])],
  }
}

/**
 * When something has to be said next although nothing changes, in Unix milliseconds; undefined: never. Of whom is `busy` it is
 * not known before the call has ended.
 */
export const dueAt = (
  { attendees, failures }: State,
  busy: ReadonlySet<string> = new Set(),
): number | undefined => {
  const moments = [
    ...[...failures].flatMap(([userId, failure]) => (busy.has(userId) ? [] : [retryAt(failure)])),
    ...[...attendees].flatMap(([userId, one]) =>
      one.sure && !failures.has(userId) && !isNothing(one) ? [one.at + renewAfter] : [],
    ),
  ]
  return moments.length === 0 ? undefined : Math.min(...moments)
}

/**
 * What a room tells the inboxes of its members, and hears from them, without I/O. `busy`: to whom a call is under way;
 * when it has ended, the room looks again.
 */
export const step = (state: State, event: Event, busy: ReadonlySet<string> = new Set()): Step => {
  switch (event.type) {
    case 'looked':
      return look(state, event.room, event.now, busy)
    case 'answered':
      return answer(state, event)
    case 'failed': {
      const times = (state.failures.get(event.userId)?.times ?? 0) + 1
      const failures = put(state.failures, event.userId, { times, at: event.now })
      return { state: { ...state, failures }, effects: [] }
    }
    case 'heard':
      return hear(state, event.userId, event.presence)
  }
}
