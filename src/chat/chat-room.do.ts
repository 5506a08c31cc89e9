import { DurableObject } from 'cloudflare:workers'
import { readConfig } from '../config.ts'
import { createDatabase } from '../db/client.ts'
import { backoff } from '../shared/backoff.ts'
import { describeError } from '../shared/describe-error.ts'
import { newId } from '../shared/ids.ts'
import { sharedLogger, type Logger } from '../shared/logger.ts'
import { newMeter } from '../shared/meter.ts'
import { admissionHeader, type Admission, type Attachment } from './attachment.ts'
import type { Presence } from './attendance.ts'
import type { ConversationFile } from './conversation-file.ts'
import { createLink } from './link.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import { ClientFrame, limits, type FrameOf, type Message, type ServerFrame, type System } from './protocol.ts'
import { createQuota } from './quota.ts'
import { createConversationRepository } from './repository.ts'
import {
  emptyRoom,
  memberOf,
  presentMembers,
  step,
  withFiles,
  type Change,
  type Effect,
  type Event,
  type Lookup,
  type Membership,
  type State,
} from './room.ts'
import { createRoomStore } from './store.ts'

/** Milliseconds. */
const batchEvery = 4
const receiptsEvery = 250
const publishEvery = 1_000
const sweepEvery = 60_000
/** Clients send `ping` each half minute; who has been silent for this long is gone. */
const silence = 90_000
/** A socket is opened anew at least once a day: its session and membership are looked at again. */
const socketLife = 24 * 3_600_000
/** Longer than anyone can be on the way in with a session that has ended. */
const sessionsKept = 3_600_000

/** Bytes that a socket is sent before what it has read is put down for after a sleep. */
const outletStep = 16_384

/** Bytes of a batch above which it is not kept for the rest of its 4 ms. */
const fullBatch = 65_536

/** Events of the log that are read at a time for somebody who is behind. */
const catchUpPage = 100

/** Frames of a socket, of any kind, for each message that it may send. */
const floodFactor = 10

/** Messages back from its mark whose authors hear of it. */
const receiptReach = 1_000

/** Bytes of the log above which its oldest events are dropped; SQLite takes 10 GB. */
const maxBytes = 8_000_000_000
const dropAmount = 5_000
const sizeEvery = 1_024

type Posted =
  | { outcome: 'posted' | 'known'; message: Message }
  | { outcome: 'closed' | 'refused' | 'notMember' }
  | { outcome: 'limited'; retryAfter: number }

type PostRequest = {
  conversation: Admission['conversation']
  member: Membership
  clientId: string
  content: string
  attachments?: string[] | undefined
  /** Those of the attachments that PostgreSQL knows of: this room may not have heard of them yet. */
  files?: ConversationFile[] | undefined
}

type FilesRequest = { conversation: Admission['conversation']; files: ConversationFile[] }

type SystemPost = {
  conversation: Admission['conversation']
  clientId: string
  content: string
  system: System
  at: string
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const presenceFrame = (userId: string, { status, lastSeen }: Presence): FrameOf<'presence'> => ({
  type: 'presence',
  userId,
  status,
  lastSeen: lastSeen === null ? null : new Date(lastSeen).toISOString(),
})

let config: ReturnType<typeof readConfig> | undefined

/**
 * One conversation: a shell that looks up, writes and sends what room.ts decides. What it sends leaves when the writes
 * before it are on disk (the runtime's output gate), so that an `ack` is never ahead of its message.
 *
 * Methods and their replies only ever gain optional fields: during a deploy the caller may be older or newer.
 */
export class ChatRoom extends DurableObject<Env> {
  readonly #store = createRoomStore(this.ctx.storage, newId)
  #state: State = { ...emptyRoom(''), ...this.#store.load() }
  readonly #config = (config ??= readConfig(this.env))
  readonly #quota = createQuota(this.#config.limits['chat.send'])
  readonly #flood = createQuota({
    ...this.#config.limits['chat.send'],
    points: this.#config.limits['chat.send'].points * floodFactor,
  })
  readonly #log: Logger = sharedLogger({ level: this.#config.logLevel, pretty: this.#config.isDevelopment })
  readonly #sockets = new Map<string, WebSocket>()
  readonly #ids = new WeakMap<WebSocket, string>()
  readonly #outlets = new Map<string, { outlet: Outlet; connectedAt: number; saved: number }>()
  /** When a socket that sends more than pings was last heard. */
  readonly #heard = new Map<string, number>()
  readonly #link = createLink({
    kv: this.ctx.storage.kv,
    inboxes: this.env.INBOXES,
    look: () => {
      const sockets = new Map<string, number>()
      for (const { userId } of this.#state.sockets.values()) {
        sockets.set(userId, (sockets.get(userId) ?? 0) + 1)
      }
      return { members: presentMembers(this.#state).map(({ userId }) => userId), sockets }
    },
    conversation: () => this.ctx.storage.kv.get<string>('conversation'),
    tell: (userId, presence) => this.#broadcast(JSON.stringify(presenceFrame(userId, presence)), undefined),
    waitUntil: (work) => this.ctx.waitUntil(work),
    settled: () => this.ctx.waitUntil(this.#armLink()),
    log: this.#log,
  })
  #batch: string[] = []
  #batchBytes = 0
  #batchTimer: ReturnType<typeof setTimeout> | undefined
  /** Receipts are on their way: what changes until then goes with them. */
  #isTelling = false
  /** After a restart nobody knows what was told: it is told again. */
  #isDirty = this.#state.head > 0
  #failures = 0
  #alarmAt: number | undefined

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    for (const socket of context.getWebSockets()) this.#wake(socket)
    void context.blockConcurrencyWhile(async () => {
      this.#alarmAt = (await context.storage.getAlarm()) ?? undefined
      this.#link.update()
    })
  }

  /** The upgrade of a member whom the Worker has let in. */
  override async fetch(request: Request): Promise<Response> {
    const admission = JSON.parse(request.headers.get(admissionHeader) ?? 'null') as Admission | null
    if (admission === null || request.headers.get('Upgrade') !== 'websocket')
      return new Response(null, { status: 400 })
    const { userId, sessionId, role, version, conversation } = admission
    this.#know(conversation, [{ userId, role, version, left: false }])
    if (this.#store.isEnded(sessionId)) return new Response(null, { status: 401 })
    if (memberOf(this.#state, userId) === undefined) return new Response(null, { status: 404 })
    const own = () => [...this.#state.sockets.values()].filter((socket) => socket.userId === userId)
    if (own().length >= limits.sockets) this.#closeSilent(own().map(({ id }) => id))
    if (own().length >= limits.sockets) return new Response(null, { status: 429 })

    const { 0: client, 1: server } = new WebSocketPair()
    const id = newId()
    this.ctx.acceptWebSocket(server)
    this.#sockets.set(id, server)
    this.#ids.set(server, id)
    this.#outlets.set(id, { outlet: createOutlet(), connectedAt: Date.now(), saved: 0 })
    this.#run({ type: 'connected', socket: { id, userId, sessionId } })
    this.#keep(id)
    await this.#arm(Date.now() + sweepEvery)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Members and state as PostgreSQL has them at that version; what is known to be newer stays. */
  apply({ conversation, members }: { conversation: Admission['conversation']; members: Membership[] }): void {
    this.#know(conversation, members)
  }

  post({ conversation, member, clientId, content, attachments = [], files = [] }: PostRequest): Posted {
    this.#know(conversation, [member])
    this.#store.files.bring(files)
    const from = member.userId
    if (memberOf(this.#state, from) === undefined) return { outcome: 'notMember' }
    const known = this.#store.findSent(from, clientId)
    if (known !== undefined) return { outcome: 'known', message: known }
    if (this.#state.closed.is) return { outcome: 'closed' }
    const found = this.#store.files.find(from, attachments)
    if (found === null) return { outcome: 'refused' }
    const retryAfter = this.#quota.take(from, Date.now())
    if (retryAfter > 0) return { outcome: 'limited', retryAfter }
    const post = { id: newId(), from, clientId, at: new Date().toISOString(), content, ...withFiles(found) }
    this.#run({ type: 'posted', post })
    return { outcome: 'posted', message: { seq: this.#state.head, ...post } }
  }

  /** What the system has to say, once for each clientId, whether the conversation is open or closed. */
  tell({ conversation, ...post }: SystemPost): void {
    this.#know(conversation, [])
    if (this.#store.findSent(null, post.clientId) !== undefined) return
    this.#run({ type: 'posted', post: { id: newId(), from: null, ...post } })
  }

  page({ before, limit }: { before: number | null; limit: number }): {
    messages: Message[]
    hasMore: boolean
    head: number
  } {
    return { ...this.#store.page(before, limit), head: this.#state.head }
  }

  /** The member's mark as it is then: on disk. */
  read({
    conversation,
    member,
    seq,
  }: {
    conversation: Admission['conversation']
    member: Membership
    seq: number
  }): {
    delivered: number
    read: number
  } | null {
    this.#know(conversation, [member])
    this.#run({ type: 'read', userId: member.userId, seq })
    const now = memberOf(this.#state, member.userId)
    return now === undefined ? null : { delivered: now.delivered, read: now.read }
  }

  /** Closes their sockets, and refuses those that are still on the way in. */
  endSessions({ sessions }: { sessions: string[] }): void {
    this.#store.endSessions(sessions, Date.now())
    this.#run({ type: 'sessionsEnded', sessions })
  }

  /** An inbox tells of its user; whether it is to go on doing so. */
  presence({ userId, presence }: { userId: string; presence: Presence }): boolean {
    return this.#link.heard(userId, presence)
  }

  /** From here on their owners may send them. */
  bringFiles({ conversation, files }: FilesRequest): void {
    this.#know(conversation, [])
    this.#store.files.bring(files)
  }

  /** Their owner takes it out; false when a message shows it. */
  releaseFile({ conversation, files: [brought] }: FilesRequest): boolean {
    if (brought === undefined) return true
    this.bringFiles({ conversation, files: [brought] })
    const isReleased = this.#store.files.release(brought.file.id)
    if (isReleased) this.#perform({ do: 'publish' })
    return isReleased
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const id = this.#idOf(socket)
    if (id === undefined) return
    const now = Date.now()
    this.#heard.set(id, now)
    if (this.#flood.take(id, now) > 0) return this.#run({ type: 'flood', socket: id })
    const isText =
      typeof data === 'string' && data.length <= limits.frame && Buffer.byteLength(data) <= limits.frame
    const frame = ClientFrame.safeParse(isText ? parsed(data) : undefined).data
    if (frame === undefined) {
      this.#run({ type: 'badFrame', socket: id })
      return this.#keep(id)
    }
    if (frame.type === 'flow') this.#outlets.get(id)?.outlet.answered(frame.n)
    this.#run({ type: 'frame', socket: id, frame, lookup: this.#lookUp(id, frame, now) })
    if (frame.type === 'flow' || frame.type === 'resume') this.#keep(id)
  }

  override webSocketClose(socket: WebSocket): void {
    this.#gone(socket)
  }

  override webSocketError(socket: WebSocket): void {
    this.#gone(socket)
  }

  /** Tells the others what is new, and looks after the sockets. Whatever happens, the next alarm is set. */
  override async alarm(): Promise<void> {
    this.#alarmAt = undefined
    const now = Date.now()
    try {
      this.#closeSilent([...this.#sockets.keys()])
      this.#closeOld(now)
      this.#store.forgetEndedBefore(now - sessionsKept)
      this.#link.update()
      if (this.#isDirty) await this.#publish()
      this.#failures = 0
    } catch (error) {
      this.#isDirty = true
      this.#failures += 1
      this.#log.warn('state of a conversation could not be told', {
        error: describeError(error),
        failures: this.#failures,
      })
    } finally {
      const wait =
        this.#failures > 0 ? 1_000 + backoff(this.#failures, { base: 1_000, cap: 60_000 }) : publishEvery
      if (this.#isDirty) await this.#arm(Date.now() + wait)
      else if (this.#sockets.size > 0) await this.#arm(Date.now() + sweepEvery)
      await this.#armLink()
    }
  }

  #run(event: Event): void {
    try {
      const before = this.#state.sockets.size
      const { state, effects } = step(this.#state, event)
      this.#state = state
      for (const effect of effects) this.#perform(effect)
      if (event.type === 'applied' || this.#state.sockets.size !== before) this.#link.update()
    } catch (error) {
      // What is in memory may differ from what is on disk: begin again from there.
      this.#log.error('a room starts anew', { error: describeError(error) })
      this.ctx.abort('The room starts anew')
      throw error
    }
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'append':
        this.#store.append(effect.event, effect.n)
        if (effect.event.seq % sizeEvery === 0) this.#trim()
        return
      case 'saveMember':
        return this.#store.saveMember(effect.member)
      case 'saveMarks':
        return this.#store.saveMarks(effect.marks)
      case 'saveClosed':
        return this.#store.saveClosed(effect.closed)
      case 'send':
        this.#send(effect.to, effect.frame)
        if (effect.frame.type === 'ready') this.#sendPresences(effect.to)
        return
      case 'broadcast':
        return this.#broadcast(JSON.stringify(effect.frame), effect.except)
      case 'tellAuthors':
        return this.#tellAuthors(effect.changes)
      case 'catchUp':
        return this.#catchUp(effect.socket)
      case 'page': {
        const { to, before, limit } = effect
        return this.#send(to, { type: 'history', before, ...this.#store.page(before, limit) })
      }
      case 'close':
        return this.#close(effect.socket, effect.code, effect.reason)
      case 'receiptsSoon':
        return this.#tellReceiptsSoon()
      case 'publish':
        this.#isDirty = true
        this.ctx.waitUntil(this.#arm(Date.now() + publishEvery))
    }
  }

  #tellReceiptsSoon(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    setTimeout(() => {
      this.#isTelling = false
      this.#run({ type: 'receiptsDue' })
    }, receiptsEvery)
  }

  #know({ id, version, closed }: Admission['conversation'], members: readonly Membership[]): void {
    if (this.ctx.storage.kv.get('conversation') === undefined) this.ctx.storage.kv.put('conversation', id)
    this.#run({ type: 'applied', version, closed, members, at: new Date().toISOString(), newId: newId() })
  }

  #lookUp(id: string, frame: ClientFrame, now: number): Lookup {
    const author = this.#state.sockets.get(id)?.userId ?? ''
    const lookup = { now, newId: '', waitMs: 0, files: [] }
    if (frame.type === 'send') {
      const known = this.#store.findSent(author, frame.clientId)
      if (known !== undefined) return { ...lookup, known }
      const files = this.#store.files.find(author, frame.attachments ?? [])
      const isOpen = files !== null && !this.#state.closed.is
      return { ...lookup, newId: newId(), files, waitMs: isOpen ? this.#quota.take(author, now) : 0 }
    }
    if (frame.type !== 'edit' && frame.type !== 'remove') return lookup
    const target = this.#store.find(frame.id)
    const changes = frame.type === 'edit' && target?.from === author && target.content !== frame.content
    return { ...lookup, target, waitMs: changes ? this.#quota.take(author, now) : 0 }
  }

  #send(id: string, frame: ServerFrame): void {
    const text = JSON.stringify(frame)
    this.#write(id, text, Buffer.byteLength(text))
  }

  #sendPresences(id: string): void {
    for (const [userId, presence] of this.#link.presences()) this.#send(id, presenceFrame(userId, presence))
  }

  #write(id: string, text: string, bytes: number): void {
    const socket = this.#sockets.get(id)
    const account = this.#outlets.get(id)
    if (socket === undefined || account === undefined) return
    try {
      socket.send(text)
    } catch {
      // It is closing: webSocketClose follows.
      return
    }
    const asked = account.outlet.sent(bytes)
    if (asked === 'slow') return this.#run({ type: 'slow', socket: id })
    if (asked !== undefined) socket.send(JSON.stringify({ type: 'flow', n: asked } satisfies ServerFrame))
    if (asked !== undefined || account.outlet.state().sent - account.saved >= outletStep) this.#keep(id)
  }

  #broadcast(text: string, except: string | undefined): void {
    const bytes = Buffer.byteLength(text)
    let mayWait = false
    for (const { id, mode, batch, userId } of this.#state.sockets.values()) {
      if (mode !== 'live' || userId === except) continue
      // What is not for all of them is not worth a batch of its own.
      if (batch && except === undefined) mayWait = true
      else this.#write(id, text, bytes)
    }
    if (!mayWait) return
    this.#batch.push(text)
    this.#batchBytes += bytes
    if (this.#batchBytes >= fullBatch) return this.#flush()
    this.#batchTimer ??= setTimeout(() => this.#flush(), batchEvery)
  }

  /** One frame, made once, for all who asked for batches. */
  #flush(): void {
    clearTimeout(this.#batchTimer)
    this.#batchTimer = undefined
    const [first, ...rest] = this.#batch
    if (first === undefined) return
    const text = rest.length === 0 ? first : `{"type":"batch","events":[${this.#batch.join(',')}]}`
    this.#batch = []
    this.#batchBytes = 0
    const bytes = Buffer.byteLength(text)
    for (const { id, mode, batch } of this.#state.sockets.values()) {
      if (mode === 'live' && batch) this.#write(id, text, bytes)
    }
  }

  /** Sends the log from where the socket is, as far as it reads; then it is live. */
  #catchUp(id: string): void {
    for (;;) {
      const socket = this.#state.sockets.get(id)
      const account = this.#outlets.get(id)
      if (socket?.mode !== 'behind' || account === undefined || !account.outlet.isOpen()) return
      const events = this.#store.after(socket.position, catchUpPage)
      const position = events.at(-1)?.seq ?? socket.position
      if (events.length === 0) {
        // What the others still wait for, this one has had.
        this.#flush()
        return this.#run({ type: 'advanced', socket: id, position, live: true })
      }
      if (socket.batch && events.length > 1) this.#send(id, { type: 'batch', events })
      else for (const event of events) this.#send(id, event)
      this.#run({ type: 'advanced', socket: id, position, live: false })
    }
  }

  #tellAuthors(changes: readonly Change[]): void {
    const to = Math.max(...changes.map(({ mark }) => mark.delivered))
    const from = Math.min(...changes.map((change) => Math.min(change.from.delivered, change.from.read)))
    const written = this.#store.authors(Math.max(from, to - receiptReach), to)
    const online = new Map<string, string[]>()
    for (const { id, userId, mode } of this.#state.sockets.values()) {
      if (mode === 'live') online.set(userId, [...(online.get(userId) ?? []), id])
    }
    for (const [author, own] of Map.groupBy(written, (one) => one.author)) {
      const sockets = online.get(author)
      if (sockets === undefined) continue
      const about = (between: number, and: number) => own.some(({ seq }) => seq > between && seq <= and)
      const marks = changes
        .filter(({ mark, from: was }) => about(was.delivered, mark.delivered) || about(was.read, mark.read))
        .map(({ mark }) => mark)
      if (marks.length > 0) for (const id of sockets) this.#send(id, { type: 'receipt', marks })
    }
  }

  #trim(): void {
    if (this.#store.size() < maxBytes) return
    this.#run({ type: 'trimmed', first: this.#store.dropOldest(this.#state.first, dropAmount) })
  }

  #wake(socket: WebSocket): void {
    const attachment = socket.deserializeAttachment() as Attachment | null
    if (attachment === null || attachment.ended || socket.readyState !== WebSocket.OPEN) return
    const { id } = attachment.socket
    this.#sockets.set(id, socket)
    this.#ids.set(socket, id)
    const outlet = createOutlet(attachment.outlet)
    this.#outlets.set(id, { outlet, connectedAt: attachment.connectedAt, saved: attachment.outlet.sent })
    this.#state = { ...this.#state, sockets: new Map(this.#state.sockets).set(id, attachment.socket) }
  }

  /** Puts down what is known of a socket, for after a sleep. */
  #keep(id: string): void {
    const socket = this.#state.sockets.get(id)
    const account = this.#outlets.get(id)
    if (socket === undefined || account === undefined) return
    const outlet = account.outlet.state()
    account.saved = outlet.sent
    const attachment: Attachment = { socket, outlet, connectedAt: account.connectedAt }
    this.#sockets.get(id)?.serializeAttachment(attachment)
  }

  /** Undefined for one that was closed. */
  #idOf(socket: WebSocket): string | undefined {
    const known = this.#ids.get(socket)
    if (known !== undefined) return this.#sockets.has(known) ? known : undefined
    const attachment = socket.deserializeAttachment() as Attachment | null
    return attachment === null || attachment.ended ? undefined : attachment.socket.id
  }

  #close(id: string, code: number, reason: string): void {
    const socket = this.#sockets.get(id)
    this.#forget(id)
    if (socket === undefined) return
    const attachment = socket.deserializeAttachment() as Attachment | null
    if (attachment !== null) socket.serializeAttachment({ ...attachment, ended: true } satisfies Attachment)
    try {
      socket.close(code, reason)
    } catch {
      // The other side was faster.
    }
  }

  #forget(id: string): void {
    this.#sockets.delete(id)
    this.#outlets.delete(id)
    this.#heard.delete(id)
    this.#flood.forget(id)
  }

  #gone(socket: WebSocket): void {
    const id = this.#idOf(socket)
    if (id === undefined) return
    this.#run({ type: 'disconnected', socket: id })
    this.#close(id, 1000, '')
  }

  /** Sockets whose other side is gone without a word. */
  #closeSilent(ids: readonly string[]): void {
    const now = Date.now()
    for (const id of ids) {
      const socket = this.#sockets.get(id)
      if (socket === undefined) continue
      const ponged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
      const lastSign = Math.max(ponged, this.#heard.get(id) ?? 0, this.#outlets.get(id)?.connectedAt ?? 0)
      if (now - lastSign > silence) this.#run({ type: 'slow', socket: id })
    }
  }

  #closeOld(now: number): void {
    for (const [id, { connectedAt }] of this.#outlets) {
      if (now - connectedAt < socketLife) continue
      this.#run({ type: 'disconnected', socket: id })
      this.#close(id, 1001, 'open a new one')
    }
  }

  /** Sets the alarm, unless an earlier one is set. */
  async #arm(at: number): Promise<void> {
    if (this.#alarmAt !== undefined && this.#alarmAt <= at) return
    this.#alarmAt = at
    await this.ctx.storage.setAlarm(at)
  }

  async #armLink(): Promise<void> {
    const at = this.#link.dueAt()
    if (at !== undefined) await this.#arm(Math.max(at, Date.now()))
  }

  /**
   * To PostgreSQL: the last message and who has read how much, for lists; older than what is there changes nothing. And to
   * the members' inboxes what is unread.
   */
  async #publish(): Promise<void> {
    const conversationId = this.ctx.storage.kv.get<string>('conversation')
    this.#isDirty = false
    if (conversationId === undefined) return
    const { head, messages, members } = this.#state
    const last = this.#store.last()
    const released = this.#store.files.released()
    const reads = [...members.values()]
      .filter(({ left, read }) => !left && read > 0)
      .map(({ userId, read }) => ({ userId, read, count: this.#store.numberAt(read) }))
    const database = createDatabase(this.#config.database, { log: this.#log, meter: newMeter() })
    const heads = { conversationId, head, messages, last, reads, released }
    await createConversationRepository(database).publish(heads)
    this.#store.files.told(released)
    if (this.#store.files.released().length > 0) this.#isDirty = true
    await this.#link.tellUnread(
      [...members.values()].map(({ userId, left, read }) => ({
        userId,
        conversationId,
        unread: left ? 0 : Math.max(0, messages - this.#store.numberAt(read)),
        version: head + read,
      })),
    )
  }
}
