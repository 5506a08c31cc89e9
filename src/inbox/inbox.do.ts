import { DurableObject } from 'cloudflare:workers'
import { readConfig } from '../config.ts'
import { createDatabase } from '../db/client.ts'
import { createAlarm } from '../shared/alarm.ts'
import { backoff } from '../shared/backoff.ts'
import { describeError } from '../shared/describe-error.ts'
import { newId } from '../shared/ids.ts'
import { sharedLogger, type Logger } from '../shared/logger.ts'
import { newMeter } from '../shared/meter.ts'
import { admissionHeader, type Admission } from './attachment.ts'
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
import { createLink, type Attendance } from './link.ts'
import { createOwnSockets } from './own-sockets.ts'
import type { Presence } from './presence.ts'
import { ClientFrame, maxSockets, type Notification, type Subject } from './protocol.ts'
import { createInboxRepository } from './repository.ts'
import { createInboxStore } from './store.ts'
import * as unreads from './unread.ts'

const inTurns = 6

/** Milliseconds. */
const sweepEvery = 60_000
/** Longer than anyone can be on the way in with a session that has ended. */
const sessionsKept = 3_600_000

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

let config: ReturnType<typeof readConfig> | undefined

/** Of the isolate that this is: another one after a crash. */
let isolate: string | undefined

/**
 * What belongs to one user and to no room: tickets, where the user's sessions may have sockets, presence over all devices,
 * what is unread, notifications, and the user's own sockets. A shell that loads, saves and passes on what inbox.ts,
 * presence.ts and unread.ts decide.
 *
 * Methods and their replies only ever gain optional fields: during a deploy the caller may be older or newer.
 */
export class Inbox extends DurableObject<Env> {
  readonly #config = (config ??= readConfig(this.env))
  readonly #log: Logger = sharedLogger({ level: this.#config.logLevel, pretty: this.#config.isDevelopment })
  readonly #store = createInboxStore(this.ctx.storage, newId)
  readonly #own = createOwnSockets(this.ctx)
  #state: State = {
    tickets: new Map(this.#load<Ticket>('ticket/')),
    places: new Map(this.#load<Place>('place/')),
  }
  readonly #link = createLink({
    store: this.#store,
    kv: this.ctx.storage.kv,
    rooms: this.env.CHAT_ROOMS,
    userId: () => this.#userId(),
    waitUntil: (work) => this.ctx.waitUntil(work),
    changed: () => this.#arm(),
    cameOnline: () => this.#runUnread({ type: 'online' }),
    log: this.#log,
  })
  #unread: unreads.State = {
    conversations: this.#store.unread.load(),
    digested: this.#store.loadDigested(),
  }
  /** When the oldest notification becomes too old. */
  #trimAt: number | undefined = this.#store.trim(Date.now())
  #failures = 0
  readonly #alarm = createAlarm(this.ctx.storage)

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    void context.blockConcurrencyWhile(async () => {
      await this.#alarm.load()
      // After a restart its own sockets are gone, whatever was said of them.
      if (this.#own.count() !== this.#link.own()) this.#countOwn()
      this.ctx.waitUntil(this.#link.callRoll((isolate ??= newId())))
      this.#arm()
    })
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
    this.#store.endSessions(sessions, Date.now())
    this.#own.endSessions(sessions)
    this.#countOwn()
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

  /** What a room has to say of the user's sockets there; answers the presence, which it is told of from now on if it watches. */
  attend({ userId, ...attendance }: Attendance & { userId: string }): Presence {
    this.#know(userId)
    return this.#link.attend(attendance, Date.now())
  }

  unread({ userId, ...report }: unreads.Report & { userId: string }): void {
    this.#know(userId)
    this.#runUnread({ type: 'reported', report, now: Date.now() })
  }

  /** Once for each `id`: what comes again changes nothing. */
  notify({ userId, id, subject }: { userId: string; id: string; subject: Subject }): void {
    this.#know(userId)
    const now = Date.now()
    const added = this.#store.add(id, subject, now)
    if (added === undefined) return
    this.#trimAt = this.#store.trim(now)
    this.#own.tell({ type: 'notification', ...added })
    this.#arm()
  }

  notifications({ before, limit, unread }: { before: number | null; limit: number; unread: boolean }): {
    notifications: Notification[]
    hasMore: boolean
    unread: number
    epoch: string
    head: number
  } {
    const { epoch, page, unreadCount, head } = this.#store
    return { ...page(before, limit, unread), unread: unreadCount(), epoch, head: head() }
  }

  markRead({ id }: { id: string }): Notification | null {
    return this.#store.markRead(id, Date.now()) ?? null
  }

  markAllRead({ upTo }: { upTo: number }): void {
    this.#store.markAllRead(upTo, Date.now())
  }

  /** The upgrade of a user whom the Worker has let in. */
  override async fetch(request: Request): Promise<Response> {
    const admission = JSON.parse(request.headers.get(admissionHeader) ?? 'null') as Admission | null
    if (admission === null || request.headers.get('Upgrade') !== 'websocket')
      return new Response(null, { status: 400 })
    const { userId, sessionId } = admission
    this.#know(userId)
    if (this.#store.isEnded(sessionId)) return new Response(null, { status: 401 })
    if (this.#own.count() >= maxSockets) this.#own.closeSilent(Date.now())
    if (this.#own.count() >= maxSockets) return new Response(null, { status: 429 })
    const { 0: client, 1: server } = new WebSocketPair()
    this.#own.accept(server, sessionId, Date.now())
    this.#countOwn()
    return new Response(null, { status: 101, webSocket: client })
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const attachment = this.#own.listening(socket)
    if (attachment === undefined) return
    const frame = ClientFrame.safeParse(
      typeof data === 'string' && data.length <= 1_000 ? parsed(data) : undefined,
    ).data
    if (frame === undefined || attachment.live) {
      this.#own.refuse(socket, attachment)
      return this.#countOwn()
    }
    this.#own.begin(socket, attachment)
    const { epoch, head: headOf, floor, after } = this.#store
    const head = headOf()
    const position = frame.after ?? head
    const isKnown = position === 0 ? floor() === 0 : frame.after === undefined || frame.epoch === epoch
    const begins = isKnown && position <= head && position >= floor()
    const unread = unreads.unreadOf(this.#unread)
    this.#own.send(socket, { type: begins ? 'ready' : 'resync', epoch, head, unread })
    if (begins) for (const one of after(position)) this.#own.send(socket, { type: 'notification', ...one })
  }

  override webSocketClose(socket: WebSocket): void {
    this.#own.close(socket, 1000, '')
    this.#countOwn()
  }

  override webSocketError(socket: WebSocket): void {
    this.#own.close(socket, 1000, '')
    this.#countOwn()
  }

  /** Whatever happens, the next alarm is set. */
  override async alarm(): Promise<void> {
    this.#alarm.rang()
    const now = Date.now()
    try {
      this.#own.closeSilent(now)
      // Said again, lest it be taken for dead.
      this.#countOwn()
      this.#link.due(now)
      this.#runUnread({ type: 'due', now })
      this.#store.forgetEndedBefore(now - sessionsKept)
      this.#trimAt = this.#store.trim(now)
      if (unreads.isDigestDue(this.#unread, this.#link.offlineSince(), now)) await this.#orderDigest(now)
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      this.#log.warn('an inbox could not do what was due', {
        error: describeError(error),
        failures: this.#failures,
      })
    } finally {
      this.#arm()
    }
  }

  /** One mail of all that is unread, by a job that is there once however often this is tried. */
  async #orderDigest(now: number): Promise<void> {
    const userId = this.#userId()
    if (userId === undefined) return
    const id = this.#store.digestId(newId)
    const database = createDatabase(this.#config.database, { log: this.#log, meter: newMeter() })
    await createInboxRepository(database).orderDigest(userId, { id, origin: { requestId: id } })
    this.#runUnread({ type: 'digested', now, offlineSince: this.#link.offlineSince() })
    this.#store.digestOrdered()
  }

  #load<T>(prefix: string): [string, T][] {
    return [...this.ctx.storage.kv.list<T>({ prefix })].map(([name, value]) => [
      name.slice(prefix.length),
      value,
    ])
  }

  #know(userId: string): void {
    if (this.#userId() === undefined) this.ctx.storage.kv.put('user', userId)
  }

  /** Undefined until the first call has told it. */
  #userId(): string | undefined {
    return this.ctx.storage.kv.get<string>('user')
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

  #runUnread(event: unreads.Event): void {
    const { state, effects } = unreads.step(this.#unread, event)
    this.#unread = state
    for (const effect of effects) this.#performUnread(effect)
    this.#arm()
  }

  #performUnread(effect: unreads.Effect): void {
    switch (effect.do) {
      case 'saveUnread':
        return this.#store.unread.save(effect.conversationId, effect.entry)
      case 'dropUnread':
        return this.#store.unread.drop(effect.conversationId)
      case 'saveDigested':
        return this.#store.saveDigested(effect.digested)
      case 'tellUnread':
        return this.#own.tell({
          type: 'unread',
          conversationId: effect.conversationId,
          unread: effect.unread,
        })
    }
  }

  #countOwn(): void {
    this.#link.countOwn(this.#own.count(), Date.now())
  }

  /** Sets the alarm for the first thing that is due, unless an earlier one is set. */
  #arm(): void {
    const now = Date.now()
    const moments = [
      this.#link.dueAt(),
      unreads.dueAt(this.#unread, this.#link.offlineSince()),
      this.#trimAt,
      this.#own.count() > 0 ? now + sweepEvery : undefined,
    ].filter((moment) => moment !== undefined)
    if (moments.length === 0) return
    const pause = this.#failures === 0 ? 0 : 1_000 + backoff(this.#failures, { base: 1_000, cap: sweepEvery })
    const at = Math.max(now + pause, Math.min(...moments))
    this.ctx.waitUntil(this.#alarm.by(at))
  }
}
