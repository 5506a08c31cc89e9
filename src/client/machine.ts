import type { ClientFrame, FrameOf, LogEvent, Member, Message, ServerFrame } from '../chat/protocol.ts'
import { ChatError } from './chat-error.ts'
import { closeErrors, isWaiting, refusalOf } from './failures.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createHistoryRequests } from './history-requests.ts'
import { createLog } from './log.ts'
import { createMarks } from './marks.ts'
import { createOutbox, type Job } from './outbox.ts'
import { createOwnMessages, type Draft } from './own-messages.ts'
import type { Presence, RoomEvent, RoomStatus, RoomView, Sent } from './room-types.ts'
import { showMessage } from './show-message.ts'

/** What the shell is to do. `settle` ends the promise of that key. */
export type Effect =
  | { type: 'send'; frame: ClientFrame | 'ping' }
  | { type: 'event'; event: RoomEvent }
  | { type: 'settle'; key: string; value: Sent | readonly Message[] | undefined }
  | { type: 'fail'; key: string; error: ChatError }
  /** This connection has told less than it should have, or nothing for too long: another one. */
  | { type: 'reconnect' }
  | { type: 'close' }

type Change = Extract<ClientFrame, { type: 'edit' | 'remove' }>

/** Of the user. */
type Command =
  | { type: 'send'; clientId: string; draft: Draft; at: string }
  | { type: 'retry'; clientId: string; at: string }
  | { type: 'discard'; clientId: string }
  | { type: 'change'; key: string; frame: Change }
  | { type: 'typing' }
  | { type: 'markRead'; seq?: number }
  | { type: 'history'; key: string; limit: number }

export type Input =
  | Command
  | { type: 'opened' }
  | { type: 'closed'; code: number }
  /** An attempt to connect failed. */
  | { type: 'failed' }
  | { type: 'heard'; frame: ServerFrame | 'pong' }
  | { type: 'tick' }
  /** The network has changed: is the connection still there? */
  | { type: 'probe' }
  | { type: 'stop'; error: ChatError }

/** Milliseconds. */
const typingShown = 3_000
/** One's own `typing` is worth saying again when the others are about to forget the last. */
const typingTold = 2_000

/** How often a change of a message is sent on one connection without an answer. */
const maxTries = 3

/** Connections in a row that end for a frame the room does not understand, until this client is taken for outdated. */
const maxProtocolErrors = 3

/**
 * The client's side of a conversation, as a deterministic machine: no socket, no timer, no clock. The shell gives it what
 * happens with the time in milliseconds, does what it answers, and calls it again at `deadline()`.
 */
export const createMachine = () => {
  const log = createLog()
  const outbox = createOutbox()
  const marks = createMarks()
  const own = createOwnMessages()
  const heartbeat = createHeartbeat()
  const requests = createHistoryRequests()
  let status: RoomStatus = 'connecting'
  let error: ChatError | undefined
  /** `opening`: `resume` is sent. Frames count from `ready` on, until something is missing. */
  let link: 'down' | 'opening' | 'live' = 'down'
  let epoch: string | undefined
  let userId: string | null = null
  let isClosed = false
  let catchUpTo = 0
  let members: readonly Member[] = []
  let presence = new Map<string, Presence>()
  let typing = new Map<string, number>()
  let typedAt = -Infinity
  let protocolErrors = 0
  let view: RoomView | undefined
  let effects: Effect[] = []

  const tell = (event: RoomEvent) => void effects.push({ type: 'event', event })
  const send = (frame: ClientFrame | 'ping') => void effects.push({ type: 'send', frame })
  const settle = (key: string, value?: Sent | readonly Message[]) =>
    void effects.push({ type: 'settle', key, value })
  const fail = (key: string, why: ChatError) => void effects.push({ type: 'fail', key, error: why })

  const become = (next: RoomStatus) => {
    if (status === next) return
    status = next
    tell({ type: 'status', status, ...(error === undefined ? {} : { error }) })
  }

  /** Whether everything that had happened when we came in is here: what is unanswered until then stays so. */
  const isCurrent = () => link === 'live' && log.anchored && log.position >= catchUpTo

  const goDown = () => {
    link = 'down'
    outbox.disconnect()
    requests.disconnect()
    typing = new Map()
    if (status !== 'closed') become('offline')
  }

  const reconnect = () => {
    goDown()
    effects.push({ type: 'reconnect' })
  }

  const end = (why: ChatError) => {
    if (status === 'closed') return
    error = why
    for (const job of outbox.jobs.slice()) refuse(job, why)
    for (const { key } of requests.clear()) fail(key, why)
    become('closed')
    goDown()
    effects.push({ type: 'close' })
  }

  const refuse = (job: Job, why: ChatError) => {
    outbox.remove(job)
    if (job.frame.type === 'send') own.fail(job.frame.clientId, why.code)
    fail(job.key, why)
  }

  const acknowledge = ({ clientId, id, seq, at }: Sent) => {
    const job = outbox.find((frame) => frame.type === 'send' && frame.clientId === clientId)
    if (job === undefined) return
    outbox.remove(job)
    const sent = { clientId, id, seq, at }
    own.acknowledge(sent)
    settle(job.key, sent)
  }

  /** An edit or a removal that the log has is done, whoever did it first. */
  const finish = (event: LogEvent) => {
    if (event.type === 'message' && event.from === userId) {
      acknowledge(event)
      own.logged(event.clientId)
    }
    const job = outbox.find((frame) =>
      event.type === 'messageEdited'
        ? frame.type === 'edit' && frame.id === event.id && frame.content === event.content
        : event.type === 'messageRemoved' && frame.type === 'remove' && frame.id === event.id,
    )
    if (job === undefined) return
    outbox.remove(job)
    settle(job.key)
  }

  const onEvent = (event: LogEvent) => {
    const verdict = log.apply(event)
    if (verdict === 'gap') return reconnect()
    if (verdict === 'known') return
    finish(event)
    // It may lie outside of what was loaded, and is in the history then.
    own.loggedTo(log.position)
    if (event.type === 'message' && event.from !== null) typing.delete(event.from)
    if (event.type === 'message' && event.from !== userId) marks.deliver(event.seq)
    if (event.type === 'message' && event.system !== undefined) {
      if (event.system.kind === 'closed') isClosed = true
      if (event.system.kind === 'reopened') isClosed = false
    }
    if (event.type === 'member') {
      members = members.filter(({ userId: one }) => one !== event.userId)
      if (event.change === 'joined') members = [...members, { userId: event.userId, role: event.role }]
    }
    tell(event)
  }

  const forget = () => {
    log.begin(false)
    marks.forget()
    own.loggedTo(Infinity)
    tell({ type: 'reset' })
  }

  const resume = () =>
    send({ type: 'resume', after: log.position, ...(epoch === undefined ? {} : { epoch }), batch: true })

  const restart = () => {
    forget()
    epoch = undefined
    link = 'opening'
    resume()
  }

  const onReady = (frame: FrameOf<'ready'>) => {
    if (link !== 'opening') return
    // Never with a room that keeps its word: it says `resync`.
    if (log.position > 0 && (frame.epoch !== epoch || !frame.complete)) return restart()
    if (log.position === 0) log.begin(frame.complete)
    link = 'live'
    protocolErrors = 0
    epoch = frame.epoch
    userId = frame.userId
    isClosed = frame.closed
    members = frame.members
    // What the room knows follows.
    presence = new Map()
    marks.begin(frame.marks, frame.userId)
    catchUpTo = frame.head
    become('online')
  }

  const settleRequest = (page: readonly Message[]) => {
    const request = requests.take()
    if (request !== undefined) settle(request.key, page)
  }

  const onHistory = ({ before, messages, hasMore }: FrameOf<'history'>) => {
    if (!requests.isAsked() || before !== log.floor) return
    settleRequest(log.prepend(messages, hasMore))
  }

  const onError = ({ code, clientId, id, retryAfter }: FrameOf<'error'>, now: number) => {
    const [first] = outbox.jobs
    const job =
      clientId === undefined && id === undefined
        ? code === 'INVALID_FRAME' && first !== undefined && first.tries > 0
          ? first // All other frames are of our own making.
          : undefined
        : outbox.find((frame) =>
            frame.type === 'send' ? frame.clientId === clientId : id !== undefined && frame.id === id,
          )
    if (job === undefined) return
    if (isWaiting(code)) outbox.postpone(job, now + (retryAfter ?? 1_000))
    else if (code === 'NOT_FOUND' && job.frame.type === 'remove' && job.tries > 1) {
      // It was sent before, and is gone.
      outbox.remove(job)
      settle(job.key)
    } else refuse(job, refusalOf(code))
  }

  const onFrame = (frame: ServerFrame, now: number): void => {
    if (link === 'down') return
    switch (frame.type) {
      case 'ready':
        return onReady(frame)
      case 'resync':
        return restart()
      case 'flow':
        return send({ type: 'flow', n: frame.n })
      case 'batch':
        return frame.events.forEach((event) => onFrame(event, now))
      case 'message':
      case 'messageEdited':
      case 'messageRemoved':
      case 'member':
        return link === 'live' ? onEvent(frame) : undefined
      case 'ack':
        return acknowledge(frame)
      case 'receipt':
        frame.marks.forEach(marks.raise)
        return tell(frame)
      case 'typing':
        if (frame.userId === userId) return
        typing.set(frame.userId, now + typingShown)
        return tell(frame)
      case 'presence':
        presence = new Map(presence).set(frame.userId, { status: frame.status, lastSeen: frame.lastSeen })
        return tell(frame)
      case 'history':
        return onHistory(frame)
      case 'error':
        return onError(frame, now)
      // A room that is newer than this client.
      default:
    }
  }

  const onClosed = (code: number) => {
    if (code === 4400) protocolErrors += 1
    const final = closeErrors(code, protocolErrors >= maxProtocolErrors)
    if (final === undefined) goDown()
    else end(final)
  }

  const enqueue = (clientId: string, draft: Draft, at: string) => {
    own.add(clientId, draft, at)
    const attachments = draft.attachments?.map(({ id }) => id)
    outbox.add(clientId, { type: 'send', clientId, content: draft.content, attachments })
    typedAt = -Infinity
  }

  /** The room would have nothing to say to it. */
  const isDone = (frame: Change): boolean =>
    frame.type === 'edit' && log.find(frame.id)?.content === frame.content

  /** Answers are effects, at once or later. */
  const onCommand = (input: Command, now: number): void => {
    switch (input.type) {
      case 'send':
        return enqueue(input.clientId, input.draft, input.at)
      case 'retry': {
        const draft = own.failed(input.clientId)
        if (draft === undefined) return fail(input.clientId, refusalOf('NOT_FOUND'))
        return enqueue(input.clientId, draft, input.at)
      }
      case 'discard':
        return own.discard(input.clientId)
      case 'change':
        return isDone(input.frame) ? settle(input.key) : outbox.add(input.key, input.frame)
      case 'typing':
        if (link !== 'live' || isClosed || now < typedAt + typingTold) return
        typedAt = now
        return send({ type: 'typing' })
      case 'markRead':
        marks.see(Math.min(input.seq ?? log.position, log.position))
        return
      case 'history':
        return requests.add(input.key, input.limit)
    }
  }

  const onInput = (input: Input, now: number): void => {
    switch (input.type) {
      case 'opened':
        link = 'opening'
        heartbeat.begin(now)
        return resume()
      case 'closed':
        return onClosed(input.code)
      case 'failed':
        return goDown()
      case 'heard':
        heartbeat.hear()
        return input.frame === 'pong' ? undefined : onFrame(input.frame, now)
      case 'probe':
        if (link !== 'down' && heartbeat.probe(now) === 'ping') send('ping')
        return
      case 'stop':
        return end(input.error)
      case 'tick':
        return
      case 'send':
      case 'retry':
      case 'discard':
      case 'change':
      case 'typing':
      case 'markRead':
      case 'history':
        return onCommand(input, now)
    }
  }

  /** What has become due, whatever brought us here. */
  const pump = (now: number) => {
    typing.forEach((until, id) => until <= now && typing.delete(id))
    if (link === 'down') return
    const beat = heartbeat.beat(now)
    if (beat === 'lost') return reconnect()
    if (beat === 'ping') send('ping')
    if (link !== 'live') return
    for (const frame of marks.report(now)) send(frame)
    if (!isCurrent()) return
    const [first] = outbox.jobs
    // A room answers every message, and every change that it can make: this one would hold up all behind it.
    if (
      first !== undefined &&
      first.frame.type !== 'send' &&
      first.tries === maxTries &&
      first.dueAt <= now
    ) {
      refuse(first, new ChatError('UNAVAILABLE'))
    }
    const frame = outbox.next(now)
    if (frame !== undefined) send(frame)
    askHistory(now)
  }

  const askHistory = (now: number) => {
    while (!log.hasMore && !requests.isEmpty()) settleRequest([])
    const request = requests.next(now)
    if (request !== undefined) send({ type: 'history', before: log.floor, limit: request.limit })
  }

  const deadlines = (): (number | undefined)[] => [
    ...typing.values(),
    ...(link === 'down' ? [] : [heartbeat.dueAt()]),
    ...(link === 'live' ? [marks.dueAt()] : []),
    ...(isCurrent() ? [outbox.dueAt(), requests.dueAt()] : []),
  ]

  return {
    step(input: Input, now: number): Effect[] {
      effects = []
      view = undefined
      if (status === 'closed') {
        // Its promise must not wait for ever.
        const why = error ?? new ChatError('CLOSED')
        if ('key' in input) fail(input.key, why)
        else if (input.type === 'send' || input.type === 'retry') fail(input.clientId, why)
        else if (input.type === 'discard') onCommand(input, now)
        return effects
      }
      onInput(input, now)
      pump(now)
      return effects
    },

    /** When `tick` is due; undefined: not before something happens. */
    deadline: (): number | undefined => {
      const times = deadlines().filter((time) => time !== undefined)
      return times.length === 0 ? undefined : Math.min(...times)
    },

    view: (): RoomView =>
      (view ??= {
        status,
        ...(error === undefined ? {} : { error }),
        userId,
        messages: [
          ...log.messages.map((message) => showMessage(message, userId, members, marks.of)),
          ...own.show(userId),
        ],
        hasMore: log.hasMore && log.anchored,
        isClosed,
        members,
        presence,
        typing: [...typing.keys()],
        read: marks.read,
        isPending: outbox.jobs.length > 0,
      }),
  }
}
