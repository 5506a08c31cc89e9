import { DurableObject } from 'cloudflare:workers'
import {
  hashOf,
  placesOf,
  step,
  ticketFor,
  ticketLife,
  type Effect,
  type Event,
  type Place,
  type State,
  type Ticket,
} from './inbox.ts'

/** Rooms that are called at a time. */
const inTurns = 6

/**
 * What belongs to one user and to no room: tickets, and where the user's sessions may have sockets. A shell that loads,
 * saves and passes on what inbox.ts decides.
 *
 * Methods and their replies only ever gain optional fields: during a deploy the caller may be older or newer.
 */
export class Inbox extends DurableObject<Env> {
  #state: State = {
    tickets: new Map(this.#load<Ticket>('ticket/')),
    places: new Map(this.#load<Place>('place/')),
  }

  /** Keeps the ticket's hash. Unix milliseconds. */
  issue({ secret, ...rest }: Omit<Ticket, 'expiresAt'> & { secret: string }): { expiresAt: number } {
    const now = Date.now()
    const ticket = { ...rest, expiresAt: now + ticketLife }
    this.#run({ type: 'issued', hash: hashOf(secret), ticket, now })
    return { expiresAt: ticket.expiresAt }
  }

  /** Nothing is awaited between looking and deleting: of many at once, one is let in. */
  redeem({ secret, target }: { secret: string; target: string }): Pick<Ticket, 'sessionId' | 'role'> | null {
    const now = Date.now()
    const hash = hashOf(secret)
    const ticket = ticketFor(this.#state, hash, target, now)
    this.#run({ type: 'redeemed', hash, target, now })
    return ticket === undefined ? null : { sessionId: ticket.sessionId, role: ticket.role }
  }

  /** For programs, which come with an access token in place of a ticket. */
  admit({ sessionId, target }: { sessionId: string; target: string }): void {
    this.#run({ type: 'admitted', sessionId, target, now: Date.now() })
  }

  /**
   * Closes the sockets of sessions that have ended. What cannot be reached throws and is remembered, so that the job which
   * was written with their end tries it again.
   */
  async endSessions({ sessions }: { sessions: string[] }): Promise<void> {
    const rooms = placesOf(this.#state, sessions)
    for (let start = 0; start < rooms.length; start += inTurns) {
      await Promise.all(
        rooms
          .slice(start, start + inTurns)
          .map((conversationId) => this.env.CHAT_ROOMS.getByName(conversationId).endSessions({ sessions })),
      )
    }
    this.#run({ type: 'sessionsEnded', sessions })
  }

  #load<T>(prefix: string): [string, T][] {
    return [...this.ctx.storage.kv.list<T>({ prefix })].map(([name, value]) => [
      name.slice(prefix.length),
      value,
    ])
  }

  #run(event: Event): void {
    const { state, effects } = step(this.#state, event)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: Effect): void {
    const { kv } = this.ctx.storage
    switch (effect.do) {
      case 'saveTicket':
        return kv.put(`ticket/${effect.hash}`, effect.ticket)
      case 'dropTicket':
        return void kv.delete(`ticket/${effect.hash}`)
      case 'savePlace':
        return kv.put(`place/${effect.key}`, effect.place)
      case 'dropPlace':
        return void kv.delete(`place/${effect.key}`)
    }
  }
}
