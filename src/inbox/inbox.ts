import { createHash } from 'node:crypto'

/** What a ticket lets in to: a conversation by id, or the user's own inbox. */
export type Target = { conversationId: string } | { inbox: true }

export type Ticket = {
  sessionId: string
  role: 'user' | 'admin'
  target: string
  /** Unix milliseconds. */
  expiresAt: number
}

/** Where a session may have sockets. */
export type Place = { sessionId: string; conversationId: string; at: number }

export type State = {
  /** By the SHA-256 of the secret. */
  tickets: ReadonlyMap<string, Ticket>
  /** By session and conversation. */
  places: ReadonlyMap<string, Place>
}

export type Event =
  | { type: 'issued'; hash: string; ticket: Ticket; now: number }
  | { type: 'redeemed'; hash: string; target: string; now: number }
  | { type: 'admitted'; sessionId: string; target: string; now: number }
  /** Their sockets are closed everywhere. */
  | { type: 'sessionsEnded'; sessions: readonly string[] }

export type Effect =
  | { do: 'saveTicket'; hash: string; ticket: Ticket }
  | { do: 'dropTicket'; hash: string }
  | { do: 'savePlace'; key: string; place: Place }
  | { do: 'dropPlace'; key: string }

export type Step = { state: State; effects: Effect[] }

/** Milliseconds that a ticket lives. */
export const ticketLife = 30_000

/** Of a user; the oldest gives way. */
const maxTickets = 100

/** A session lives 30 days after its last refresh, and no socket more than a day. */
const placeLife = 31 * 86_400_000

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export const targetOf = (target: Target): string =>
  'inbox' in target ? 'inbox' : `conversation:${target.conversationId}`

const conversationOf = (target: string): string | undefined => /^conversation:(.+)$/.exec(target)?.[1]

const dropTickets = (state: State, hashes: readonly string[]): Step => {
  if (hashes.length === 0) return { state, effects: [] }
  const tickets = new Map(state.tickets)
  for (const hash of hashes) tickets.delete(hash)
  return { state: { ...state, tickets }, effects: hashes.map((hash) => ({ do: 'dropTicket', hash })) }
}

const issue = (state: State, { hash, ticket, now }: Extract<Event, { type: 'issued' }>): Step => {
  const expired = [...state.tickets].filter(([, { expiresAt }]) => expiresAt <= now).map(([one]) => one)
  const left = [...state.tickets.keys()].filter((one) => !expired.includes(one))
  const crowded = left.slice(0, Math.max(0, left.length + 1 - maxTickets))
  const tidy = dropTickets(state, [...expired, ...crowded])
  return {
    state: { ...tidy.state, tickets: new Map(tidy.state.tickets).set(hash, ticket) },
    effects: [...tidy.effects, { do: 'saveTicket', hash, ticket }],
  }
}

/** Remembered before the room is asked: when the session ends, its sockets are found. */
const admit = (state: State, { sessionId, target, now }: Extract<Event, { type: 'admitted' }>): Step => {
  const conversationId = conversationOf(target)
  if (conversationId === undefined) return { state, effects: [] }
  const key = `${sessionId}/${conversationId}`
  const place = { sessionId, conversationId, at: now }
  const old = [...state.places]
    .filter(([one, { at }]) => at < now - placeLife && one !== key)
    .map(([one]) => one)
  const places = new Map(state.places).set(key, place)
  for (const one of old) places.delete(one)
  return {
    state: { ...state, places },
    effects: [{ do: 'savePlace', key, place }, ...old.map((one): Effect => ({ do: 'dropPlace', key: one }))],
  }
}

/** The ticket that this secret opens this target with now; undefined: it opens nothing. */
export const ticketFor = (
  { tickets }: State,
  hash: string,
  target: string,
  now: number,
): Ticket | undefined => {
  const ticket = tickets.get(hash)
  return ticket !== undefined && ticket.target === target && ticket.expiresAt > now ? ticket : undefined
}

/** Conversations in which these sessions may have sockets. */
export const placesOf = ({ places }: State, sessions: readonly string[]): string[] => [
  ...new Set(
    [...places.values()]
      .filter(({ sessionId }) => sessions.includes(sessionId))
      .map((place) => place.conversationId),
  ),
]

/** The inbox of a user, without I/O. */
export const step = (state: State, event: Event): Step => {
  switch (event.type) {
    case 'issued':
      return issue(state, event)
    case 'redeemed': {
      // Shown once, whatever it was shown for: it is of no more use.
      const ticket = ticketFor(state, event.hash, event.target, event.now)
      const spent = dropTickets(state, state.tickets.has(event.hash) ? [event.hash] : [])
      if (ticket === undefined) return spent
      const { sessionId } = ticket
      const { target, now } = event
      const admitted = admit(spent.state, { type: 'admitted', sessionId, target, now })
      return { state: admitted.state, effects: [...spent.effects, ...admitted.effects] }
    }
    case 'admitted':
      return admit(state, event)
    case 'sessionsEnded': {
      const ended = new Set(event.sessions)
      const hashes = [...state.tickets]
        .filter(([, { sessionId }]) => ended.has(sessionId))
        .map(([hash]) => hash)
      const keys = [...state.places].filter(([, { sessionId }]) => ended.has(sessionId)).map(([key]) => key)
      const spent = dropTickets(state, hashes)
      const places = new Map(state.places)
      for (const key of keys) places.delete(key)
      return {
        state: { ...spent.state, places },
        effects: [...spent.effects, ...keys.map((key): Effect => ({ do: 'dropPlace', key }))],
      }
    }
  }
}
