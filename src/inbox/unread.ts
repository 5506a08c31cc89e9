/** What a room says of one member: how many messages are unread, none once the member has left. */
export type Report = {
  conversationId: string
  unread: number
  /** Head and mark of the room's log, added up: both only grow, so that of two reports the higher is the newer. */
  version: number
}

type Entry = Omit<Report, 'conversationId'> & {
  /** Unix milliseconds: since when there has been something unread; of an entry without, when that began. */
  since: number
}

export type State = {
  conversations: ReadonlyMap<string, Entry>
  /** The digest about what is unread now has been ordered: there is no second one until the user has been here. */
  digested: boolean
}

/** Null: online. Unix milliseconds since when offline; 0: it was never seen. */
type OfflineSince = number | null

export type Event =
  | { type: 'reported'; report: Report; now: number }
  | { type: 'online' }
  /** The digest that was wanted at `now` has been ordered, and that took a while. */
  | { type: 'digested'; now: number; offlineSince: OfflineSince }
  | { type: 'due'; now: number }

export type Effect =
  | { do: 'saveUnread'; conversationId: string; entry: Entry }
  | { do: 'dropUnread'; conversationId: string }
  | { do: 'saveDigested'; digested: boolean }
  /** To the user's own sockets. */
  | { do: 'tellUnread'; conversationId: string; unread: number }

type Step = { state: State; effects: Effect[] }

/** Milliseconds of unread and offline before one mail tells of it. */
export const digestAfter = 10 * 60_000

/** Milliseconds that an entry without anything unread is kept: an older report may still be on its way. */
const memory = 60 * 60_000

export const nothingUnread: State = { conversations: new Map(), digested: false }

const still = (state: State): Step => ({ state, effects: [] })

export const unreadOf = ({ conversations }: State): { conversationId: string; unread: number }[] =>
  [...conversations].flatMap(([conversationId, { unread }]) =>
    unread > 0 ? [{ conversationId, unread }] : [],
  )

const setDigested = (state: State, digested: boolean): Step =>
  state.digested === digested
    ? still(state)
    : { state: { ...state, digested }, effects: [{ do: 'saveDigested', digested }] }

/** Where nothing is unread any more, the next unread message begins anew. */
const settle = (step: Step): Step => {
  if (unreadOf(step.state).length > 0) return step
  const settled = setDigested(step.state, false)
  return { state: settled.state, effects: [...step.effects, ...settled.effects] }
}

const report = (state: State, { conversationId, ...said }: Report, now: number): Step => {
  const known = state.conversations.get(conversationId)
  if (known !== undefined && known.version >= said.version) return still(state)
  const goesOn = known !== undefined && known.unread > 0 && said.unread > 0
  const entry = { ...said, since: goesOn ? known.since : now }
  const isNews = (known?.unread ?? 0) !== said.unread
  return settle({
    state: { ...state, conversations: new Map(state.conversations).set(conversationId, entry) },
    effects: [
      { do: 'saveUnread', conversationId, entry },
      ...(isNews ? [{ do: 'tellUnread', conversationId, unread: said.unread } as const] : []),
    ],
  })
}

const drop = (state: State, ids: readonly string[]): Step => {
  const conversations = new Map(state.conversations)
  for (const id of ids) conversations.delete(id)
  return settle({
    state: { ...state, conversations },
    effects: ids.map((conversationId) => ({ do: 'dropUnread', conversationId })),
  })
}

/** When a digest is wanted, in Unix milliseconds; undefined: none is. */
export const digestAt = (state: State, offlineSince: OfflineSince): number | undefined => {
  if (offlineSince === null || state.digested) return undefined
  const since = [...state.conversations.values()].flatMap((one) => (one.unread > 0 ? [one.since] : []))
  return since.length === 0 ? undefined : Math.max(offlineSince, Math.min(...since)) + digestAfter
}

export const isDigestDue = (state: State, offlineSince: OfflineSince, now: number): boolean =>
  (digestAt(state, offlineSince) ?? Infinity) <= now

/** When anything is next wanted, in Unix milliseconds. */
export const dueAt = (state: State, offlineSince: OfflineSince): number | undefined => {
  const forgotten = [...state.conversations.values()].flatMap(({ unread, since }) =>
    unread > 0 ? [] : [since + memory],
  )
  const moments = [digestAt(state, offlineSince) ?? Infinity, ...forgotten]
  const next = Math.min(...moments)
  return next === Infinity ? undefined : next
}

/** What of a user's conversations is unread, without I/O. */
export const step = (state: State, event: Event): Step => {
  switch (event.type) {
    case 'reported':
      return report(state, event.report, event.now)
    case 'online':
      return setDigested(state, false)
    case 'digested':
      // Who came back meanwhile, or has read it all, is to have another when it is time again.
      return isDigestDue(state, event.offlineSince, event.now) ? setDigested(state, true) : still(state)
    case 'due':
      return drop(
        state,
        [...state.conversations].flatMap(([id, { unread, since }]) =>
          unread === 0 && since + memory <= event.now ? [id] : [],
        ),
      )
  }
}
