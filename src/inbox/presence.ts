/** Whether a user is there, over all devices. A higher version wins wherever two values meet. */
export type Presence = {
  status: 'online' | 'offline'
  /** Unix milliseconds: when the last socket was gone. Null while online, and when it was never seen. */
  lastSeen: number | null
  version: number
}

/** What one place (a room, the user's own inbox) says of the user's sockets there. */
export type Report = {
  source: string
  sockets: number
  /** Counts the starts of the source; within one, `n` counts its reports of this user. */
  incarnation: number
  n: number
}

type Source = Omit<Report, 'source'> & { at: number }

type Subscriber = {
  until: number
  /** The version that it is known to have; -1: none. */
  told: number
  /** How often it was tried since, and when the last time; a start begins anew. */
  tries: number
  triedAt: number
}

export type State = {
  presence: Presence
  /** Those without sockets are remembered for a while: an older report of theirs may still be on its way. */
  sources: ReadonlyMap<string, Source>
  /** Unix milliseconds; null while a socket lives, and once the user is offline. */
  silentSince: number | null
  subscribers: ReadonlyMap<string, Subscriber>
}

export type Event =
  | { type: 'reported'; report: Report; now: number }
  /** A report of a room, which from now on wants to be told of changes, or not. */
  | { type: 'attended'; room: string; watches: boolean; report: Report; now: number }
  | { type: 'unsubscribed'; room: string }
  /** A `tell` has arrived. */
  | { type: 'told'; room: string; version: number }
  /** The alarm of `dueAt`. */
  | { type: 'due'; now: number }

export type Effect =
  | { do: 'savePresence'; presence: Presence; silentSince: number | null }
  | { do: 'saveSource'; source: string; value: Source }
  | { do: 'dropSource'; source: string }
  | { do: 'saveSubscriber'; room: string; value: Subscriber }
  | { do: 'dropSubscriber'; room: string }
  | { do: 'tell'; room: string; presence: Presence }

type Step = { state: State; effects: Effect[] }

/** Milliseconds without a socket before a user is offline: who reloads a page has not left. */
export const grace = 10_000

/** Milliseconds that a subscription lives unless it is renewed. */
export const subscriptionLife = 10 * 60_000

/** Milliseconds after which a source that holds sockets and says nothing more is taken for dead. */
export const sourceLife = 15 * 60_000

/** Milliseconds that a source without sockets is remembered. */
const memory = 60 * 60_000

/** Milliseconds before an update that did not arrive is told again; doubled with every try. */
const retryAfter = 1_000
const maxRetry = 60_000

export const nobody: State = {
  presence: { status: 'offline', lastSeen: null, version: 0 },
  sources: new Map(),
  silentSince: null,
  subscribers: new Map(),
}

const isNewer = (report: Report, known: Source | undefined): boolean =>
  known === undefined ||
  report.incarnation > known.incarnation ||
  (report.incarnation === known.incarnation && report.n > known.n)

const isAlive = ({ sources }: State): boolean => [...sources.values()].some(({ sockets }) => sockets > 0)

const retryAt = ({ tries, triedAt }: Subscriber): number =>
  triedAt + Math.min(maxRetry, retryAfter * 2 ** Math.min(tries - 1, 10))

const save = (state: State): Effect => ({
  do: 'savePresence',
  presence: state.presence,
  silentSince: state.silentSince,
})

/** To every subscriber that lacks the present value; `retries` only where that is due again. */
const tell = (state: State, now: number, retries: boolean): Step => {
  const lacking = [...state.subscribers]
    .filter(([, one]) => one.until > now && one.told < state.presence.version)
    .filter(([, one]) => !retries || retryAt(one) <= now)
  const subscribers = new Map(state.subscribers)
  for (const [room, one] of lacking) subscribers.set(room, { ...one, tries: one.tries + 1, triedAt: now })
  return {
    state: { ...state, subscribers },
    effects: lacking.map(([room]) => ({ do: 'tell', room, presence: state.presence })),
  }
}

const changeTo = (state: State, presence: Omit<Presence, 'version'>, now: number): Step => {
  const next: State = {
    ...state,
    presence: { ...presence, version: state.presence.version + 1 },
    silentSince: null,
  }
  const telling = tell(next, now, false)
  return { state: telling.state, effects: [save(next), ...telling.effects] }
}

/** What the sockets that live say: online at once, offline only after the grace. */
const settle = (state: State, now: number): Step => {
  const lives = isAlive(state)
  const { status } = state.presence
  if (lives && status === 'offline') return changeTo(state, { status: 'online', lastSeen: null }, now)
  if (lives === (state.silentSince === null) || status === 'offline') return { state, effects: [] }
  const next = { ...state, silentSince: lives ? null : now }
  return { state: next, effects: [save(next)] }
}

const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> =>
  new Map(map).set(key, value)

const without = <K, V>(map: ReadonlyMap<K, V>, keys: readonly K[]): ReadonlyMap<K, V> => {
  const rest = new Map(map)
  for (const key of keys) rest.delete(key)
  return rest
}

/** Reports may come late, doubled or in any order: of each source the newest counts. */
const report = (state: State, { source, ...said }: Report, now: number): Step => {
  const known = state.sources.get(source)
  if (!isNewer({ source, ...said }, known)) return { state, effects: [] }
  const value = { ...said, at: now }
  const settled = settle({ ...state, sources: put(state.sources, source, value) }, now)
  return { state: settled.state, effects: [{ do: 'saveSource', source, value }, ...settled.effects] }
}

const saveSubscriber = (state: State, room: string, value: Subscriber): Step => ({
  state: { ...state, subscribers: put(state.subscribers, room, value) },
  effects: [{ do: 'saveSubscriber', room, value }],
})

const unsubscribe = (state: State, room: string): Step => ({
  state: { ...state, subscribers: without(state.subscribers, [room]) },
  effects: [{ do: 'dropSubscriber', room }],
})

/** A report that is late says nothing of what the room wants now, either. */
const attend = (
  state: State,
  { room, watches, report: said, now }: Extract<Event, { type: 'attended' }>,
): Step => {
  if (!isNewer(said, state.sources.get(said.source))) return { state, effects: [] }
  const reported = report(state, said, now)
  const then = watches
    ? // The answer carries the value: it counts as told.
      saveSubscriber(reported.state, room, {
        until: now + subscriptionLife,
        told: reported.state.presence.version,
        tries: 0,
        triedAt: now,
      })
    : unsubscribe(reported.state, room)
  return { state: then.state, effects: [...reported.effects, ...then.effects] }
}

const arrived = (state: State, room: string, version: number): Step => {
  const known = state.subscribers.get(room)
  if (known === undefined || known.told >= version) return { state, effects: [] }
  return saveSubscriber(state, room, { ...known, told: version, tries: 0 })
}

const forget = (state: State, now: number): Step => {
  const lapsed = [...state.subscribers].filter(([, { until }]) => until <= now).map(([room]) => room)
  const gone = [...state.sources]
    .filter(([, { sockets, at }]) => at + (sockets > 0 ? sourceLife : memory) <= now)
    .map(([source]) => source)
  return {
    state: {
      ...state,
      subscribers: without(state.subscribers, lapsed),
      sources: without(state.sources, gone),
    },
    effects: [
      ...lapsed.map((room): Effect => ({ do: 'dropSubscriber', room })),
      ...gone.map((source): Effect => ({ do: 'dropSource', source })),
    ],
  }
}

const due = (state: State, now: number): Step => {
  const tidy = forget(state, now)
  const settled = settle(tidy.state, now)
  const { silentSince } = settled.state
  const left =
    silentSince !== null && silentSince + grace <= now
      ? changeTo(settled.state, { status: 'offline', lastSeen: silentSince }, now)
      : tell(settled.state, now, true)
  return { state: left.state, effects: [...tidy.effects, ...settled.effects, ...left.effects] }
}

/** When `due` is next wanted, in Unix milliseconds; undefined: nothing is waited for. */
export const dueAt = ({ presence, sources, silentSince, subscribers }: State): number | undefined => {
  const moments = [
    ...(silentSince === null ? [] : [silentSince + grace]),
    ...[...sources.values()].map(({ sockets, at }) => at + (sockets > 0 ? sourceLife : memory)),
    ...[...subscribers.values()].map((one) =>
      one.told < presence.version ? Math.min(one.until, retryAt(one)) : one.until,
    ),
  ]
  return moments.length === 0 ? undefined : Math.min(...moments)
}

/** Presence of one user, without I/O. */
export const step = (state: State, event: Event): Step => {
  switch (event.type) {
    case 'reported':
      return report(state, event.report, event.now)
    case 'attended':
      return attend(state, event)
    case 'unsubscribed':
      return unsubscribe(state, event.room)
    case 'told':
      return arrived(state, event.room, event.version)
    case 'due':
      return due(state, event.now)
  }
}
