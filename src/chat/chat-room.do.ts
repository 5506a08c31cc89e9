import { DurableObject } from 'cloudflare:workers'
import { readConfig } from '../config.ts'
import { createDatabase } from '../db/client.ts'
import { backoff } from '../shared/backoff.ts'
import { describeError } from '../shared/describe-error.ts'
import { newId } from '../shared/ids.ts'
import { sharedLogger, type Logger } from '../shared/logger.ts'
import { newMeter } from '../shared/meter.ts'
import { createAlarm } from '../shared/alarm.ts'
import { admissionHeader, type Admission } from './attachment.ts'
import type { Presence } from './attendance.ts'
import { createCalls } from './calls.ts'
import { createIntake } from './intake.ts'
import { createLink } from './link.ts'
import { closeCodes, limits, type Message } from './protocol.ts'
import { attendanceOf, createPublication } from './publication.ts'
import { createQuota } from './quota.ts'
import { createConversationRepository } from './repository.ts'
import { emptyRoom, memberOf, type Membership } from './room/state.ts'
import type { FilesRequest, Posted, PostRequest, ReadRequest, SystemPost } from './rooms.ts'
import { createRunner } from './runner.ts'
import { createRoomStore } from './store.ts'

/** Milliseconds. */
const publishEvery = 1_000
const sweepEvery = 60_000
/** Clients send `ping` each half minute; who has been silent for this long is gone. */
const silence = 90_000
/** A socket is opened anew at least once a day: its session and membership are looked at again. */
const socketLife = 24 * 3_600_000
/** Longer than anyone can be on the way in with a session that has ended. */
const sessionsKept = 3_600_000

/** Frames of a socket, of any kind, for each message that it may send. */
const floodFactor = 10

let config: ReturnType<typeof readConfig> | undefined

/**
 * One conversation: a shell that looks up, writes and sends what room.ts decides. What it sends leaves when the writes
 * before it are on disk (the runtime's output gate), so that an `ack` is never ahead of its message.
 *
 * Methods and their replies only ever gain optional fields: during a deploy the caller may be older or newer.
 */
export class ChatRoom extends DurableObject<Env> {
  readonly #store = createRoomStore(this.ctx.storage, newId)
  readonly #config = (config ??= readConfig(this.env))
  readonly #quota = createQuota(this.#config.limits['chat.send'])
  readonly #flood = createQuota({
    ...this.#config.limits['chat.send'],
    points: this.#config.limits['chat.send'].points * floodFactor,
  })
  readonly #log: Logger = sharedLogger({ level: this.#config.logLevel, pretty: this.#config.isDevelopment })
  readonly #room = createRunner<WebSocket>({
    store: this.#store,
    initial: { ...emptyRoom(''), ...this.#store.load() },
    afterReady: () => this.#link.presences(),
    publishSoon: () => this.#publishSoon(),
    changed: () => this.#link.update(),
    closed: (id) => this.#flood.forget(id),
    failed: (error) => {
      // What is in memory may differ from what is on disk: begin again from there.
      this.#log.error('a room starts anew', { error: describeError(error) })
      this.ctx.abort('The room starts anew')
    },
  })
  readonly #link = createLink({
    kv: this.ctx.storage.kv,
    inboxes: this.env.INBOXES,
    look: () => attendanceOf(this.#room.state()),
    conversation: () => this.ctx.storage.kv.get<string>('conversation'),
    tell: this.#room.tell,
    waitUntil: (work) => this.ctx.waitUntil(work),
    settled: () => this.ctx.waitUntil(this.#armLink()),
    log: this.#log,
  })
  readonly #calls = createCalls({
    room: this.#room,
    store: this.#store,
    quota: this.#quota,
    kv: this.ctx.storage.kv,
  })
  readonly #take = createIntake({
    room: this.#room,
    connections: this.#room.connections,
    store: this.#store,
    quota: this.#quota,
    flood: this.#flood,
  })
  readonly #publication = createPublication({
    kv: this.ctx.storage.kv,
    store: this.#store,
    state: this.#room.state,
    publish: async (news) => {
      const database = createDatabase(this.#config.database, { log: this.#log, meter: newMeter() })
      await createConversationRepository(database).publish(news)
    },
    tellUnread: (reports) => this.#link.tellUnread(reports),
  })
  #failures = 0
  readonly #alarm = createAlarm(this.ctx.storage)

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    for (const socket of context.getWebSockets()) this.#room.wake(socket)
    this.#log.debug('a room begins', {
      conversation: context.storage.kv.get<string>('conversation'),
      incarnation: this.#link.incarnation,
      sockets: this.#room.connections.count(),
    })
    void context.blockConcurrencyWhile(async () => {
      await this.#alarm.load()
      this.#link.update()
    })
  }

  /** The upgrade of a member whom the Worker has let in. */
  override async fetch(request: Request): Promise<Response> {
    const admission = JSON.parse(request.headers.get(admissionHeader) ?? 'null') as Admission | null
    if (admission === null || request.headers.get('Upgrade') !== 'websocket')
      return new Response(null, { status: 400 })
    const { userId, sessionId, role, version, conversation } = admission
    this.#calls.know(conversation, [{ userId, role, version, left: false }])
    if (this.#store.isEnded(sessionId)) return new Response(null, { status: 401 })
    if (memberOf(this.#room.state(), userId) === undefined) return new Response(null, { status: 404 })
    const own = () => [...this.#room.state().sockets.values()].filter((socket) => socket.userId === userId)
    if (own().length >= limits.sockets) this.#closeSilent(own().map(({ id }) => id))
    if (own().length >= limits.sockets) return new Response(null, { status: 429 })

    const { 0: client, 1: server } = new WebSocketPair()
    const id = newId()
    this.ctx.acceptWebSocket(server)
    this.#room.connections.accept(id, server, Date.now())
    this.#room.run({ type: 'connected', socket: { id, userId, sessionId } })
    this.#room.connections.keep(id)
    await this.#alarm.by(Date.now() + sweepEvery)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Members and state as PostgreSQL has them at that version; what is known to be newer stays. */
  apply({ conversation, members }: { conversation: Admission['conversation']; members: Membership[] }): void {
    this.#calls.know(conversation, members)
  }

  post(request: PostRequest): Posted {
    return this.#calls.post(request)
  }

  /** What the system has to say, once for each clientId, whether the conversation is open or closed. */
  tell(post: SystemPost): void {
    this.#calls.tell(post)
  }

  page({ before, limit }: { before: number | null; limit: number }): {
    messages: Message[]
    hasMore: boolean
    head: number
  } {
    return { ...this.#store.page(before, limit), head: this.#room.state().head }
  }

  /** The member's mark as it is then: on disk. */
  read(request: ReadRequest): { delivered: number; read: number } | null {
    return this.#calls.read(request)
  }

  /** Closes their sockets, and refuses those that are still on the way in. */
  endSessions({ sessions }: { sessions: string[] }): void {
    this.#store.endSessions(sessions, Date.now())
    this.#room.run({ type: 'sessionsEnded', sessions })
  }

  /** An inbox tells of its user; whether it is to go on doing so. */
  presence({ userId, presence }: { userId: string; presence: Presence }): boolean {
    return this.#link.heard(userId, presence)
  }

  /** From here on their owners may send them. */
  bringFiles(request: FilesRequest): void {
    this.#calls.bringFiles(request)
  }

  releaseFiles(request: FilesRequest): boolean {
    const areReleased = this.#calls.releaseFiles(request)
    if (areReleased) this.#publishSoon()
    return areReleased
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const id = this.#room.connections.idOf(socket)
    if (id !== undefined) this.#take(id, data)
  }

  override webSocketClose(socket: WebSocket): void {
    this.#gone(socket)
  }

  override webSocketError(socket: WebSocket): void {
    this.#gone(socket)
  }

  /** Tells the others what is new, and looks after the sockets. Whatever happens, the next alarm is set. */
  override async alarm(): Promise<void> {
    this.#alarm.rang()
    const now = Date.now()
    try {
      this.#closeSilent(this.#room.connections.ids())
      for (const id of this.#room.connections.openBefore(now - socketLife)) {
        this.#room.drop(id, 1001, 'open a new one')
      }
      this.#store.forgetEndedBefore(now - sessionsKept)
      this.#link.update()
      if (this.#publication.isDue()) await this.#publication.tell()
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      this.#log.warn('state of a conversation could not be told', {
        error: describeError(error),
        failures: this.#failures,
      })
    } finally {
      const wait =
        this.#failures > 0 ? 1_000 + backoff(this.#failures, { base: 1_000, cap: 60_000 }) : publishEvery
      if (this.#publication.isDue()) await this.#alarm.by(Date.now() + wait)
      else if (this.#room.connections.count() > 0) await this.#alarm.by(Date.now() + sweepEvery)
      await this.#armLink()
    }
  }

  #gone(socket: WebSocket): void {
    const id = this.#room.connections.idOf(socket)
    if (id !== undefined) this.#room.drop(id, 1000, '')
  }

  /** Sockets whose other side is gone without a word. */
  #closeSilent(among: readonly string[]): void {
    const ponged = (socket: WebSocket) => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
    for (const id of this.#room.connections.silentSince(Date.now() - silence, among, ponged)) {
      this.#room.drop(id, closeCodes.slow, 'silent')
    }
  }

  #publishSoon(): void {
    this.#publication.changed()
    this.ctx.waitUntil(this.#alarm.by(Date.now() + publishEvery))
  }

  async #armLink(): Promise<void> {
    const at = this.#link.dueAt()
    if (at !== undefined) await this.#alarm.by(Math.max(at, Date.now()))
  }
}
