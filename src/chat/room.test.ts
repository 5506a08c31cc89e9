import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  closeCodes,
  limits,
  ServerFrame,
  type ClientFrame,
  type LogEvent,
  type Mark,
  type Message,
} from './protocol.ts'
import { step } from './room.ts'
import { smallRoom } from './room/marks.ts'
import { emptyRoom, memberOf, presentMembers, type Effect, type Event, type State } from './room/state.ts'

const uuid = (n: number): string => `01997b2c-6f0e-7c4a-9d55-${String(n).padStart(12, '0')}`
const users = [1, 2, 3, 4].map(uuid)
const at = '2026-11-20T12:00:00.000Z'

type Heard = { mode: 'new' | 'behind' | 'live'; position: number; ended: boolean }

/**
 * The shell in miniature, and beside it what must hold: a log with a gap, a mark that goes back, or a word to somebody who
 * was removed is an error at the step that does it.
 */
const world = () => {
  let state: State = emptyRoom('epoch')
  const log: LogEvent[] = []
  const messages = new Map<string, Message>()
  const heard = new Map<string, Heard>()
  /** Of the model: version and presence by user, by nothing but the rule "higher wins". */
  const model = new Map<string, { version: number; left: boolean }>()
  const marks = new Map<string, Mark>()
  const acked = new Map<string, string>()
  let now = 0
  let ids = 100

  const check = (condition: boolean, what: string): void => {
    if (!condition) throw new Error(what)
  }

  const deliver = (id: string, frame: ServerFrame): void => {
    ServerFrame.parse(frame)
    const socket = heard.get(id)
    check(socket !== undefined && !socket.ended, `a closed socket hears ${frame.type}`)
    if (socket === undefined) return
    if (frame.type === 'ready') Object.assign(socket, { mode: 'behind' })
    else if (socket.mode === 'new')
      check(['error', 'resync'].includes(frame.type), `${frame.type} before ready`)
    if (frame.type === 'resync') socket.mode = 'new'
    if (frame.type === 'ready') {
      const isNewest = !frame.complete
      socket.position = isNewest ? Math.max(0, frame.head - limits.recent) : socket.position
    }
    if (frame.type === 'ack') {
      const stored = [...messages.values()].find((one) => one.id === frame.id)
      check(
        stored?.seq === frame.seq && stored.clientId === frame.clientId,
        'an ack without its message on disk',
      )
    }
    const isLogged = ['message', 'messageEdited', 'messageRemoved', 'member'].includes(frame.type)
    if (isLogged && 'seq' in frame && frame.seq === socket.position + 1) socket.position = frame.seq
  }

  const broadcastTo = (effect: Extract<Effect, { do: 'broadcast' }>): void => {
    for (const { id, mode, userId } of state.sockets.values()) {
      if (mode !== 'live' || userId === effect.except) continue
      check(memberOf(state, userId) !== undefined, 'somebody who is no member hears something')
      const socket = heard.get(id)
      if ('seq' in effect.frame && socket !== undefined && effect.frame.type !== 'ack') {
        check(effect.frame.seq === socket.position + 1, `a gap: ${effect.frame.seq} after ${socket.position}`)
      }
      deliver(id, effect.frame)
    }
  }

  const catchUp = (id: string): void => {
    const socket = state.sockets.get(id)
    if (socket?.mode !== 'behind') return
    const own = heard.get(id)
    if (own !== undefined) own.position = socket.position
    for (const event of log.slice(socket.position)) deliver(id, event)
    run({ type: 'advanced', socket: id, position: log.length, live: true })
    if (own !== undefined) own.mode = 'live'
  }

  const append = (event: LogEvent): void => {
    check(event.seq === log.length + 1, `seq ${event.seq} after ${log.length}`)
    log.push(event)
    if (event.type === 'message') {
      check(
        ![...messages.values()].some(
          ({ from, clientId }) => from === event.from && clientId === event.clientId,
        ),
        'stored twice',
      )
      const { type: _, ...message } = event
      messages.set(event.id, message)
    }
    if (event.type === 'messageEdited' || event.type === 'messageRemoved') {
      const message = messages.get(event.id)
      check(message !== undefined && message.removedAt === undefined, 'a change of what is not there')
      if (message === undefined) return
      const change =
        event.type === 'messageEdited' ? { content: event.content } : { content: '', removedAt: event.at }
      messages.set(event.id, { ...message, ...change })
    }
  }

  const perform = (effect: Effect): void => {
    switch (effect.do) {
      case 'append':
        append(effect.event)
        return check(effect.n === messages.size, 'a number that is not that of the message')
      case 'send':
        return deliver(effect.to, effect.frame)
      case 'broadcast':
        return broadcastTo(effect)
      case 'catchUp':
        return catchUp(effect.socket)
      case 'close': {
        const socket = heard.get(effect.socket)
        if (socket !== undefined) socket.ended = true
        return
      }
      case 'saveMarks':
        for (const mark of effect.marks) {
          const before = marks.get(mark.userId) ?? { delivered: 0, read: 0 }
          check(mark.delivered >= before.delivered && mark.read >= before.read, 'a mark goes back')
          check(mark.read <= mark.delivered && mark.delivered <= log.length, 'a mark ahead')
          marks.set(mark.userId, mark)
        }
        return
      case 'saveMember':
      case 'saveClosed':
      case 'tellAuthors':
      case 'page':
      case 'receiptsSoon':
      case 'publish':
    }
  }

  function run(event: Event): void {
    const result = step(state, event)
    state = result.state
    for (const effect of result.effects) perform(effect)
    check(state.head === log.length, 'the head is not the last of the log')
    check(state.messages === messages.size, 'messages are miscounted')
  }

  return {
    get state() {
      return state
    },
    log,
    messages,
    marks,
    heard,
    run,
    connect(user: number) {
      const userId = users[user] ?? ''
      if (memberOf(state, userId) === undefined) return
      const id = uuid(ids++)
      heard.set(id, { mode: 'new', position: 0, ended: false })
      run({ type: 'connected', socket: { id, userId, sessionId: uuid(user + 50) } })
    },
    socketAt: (n: number) => [...state.sockets.values()][n % Math.max(1, state.sockets.size)],
    frame(socketAt: number, frame: ClientFrame) {
      const socket = this.socketAt(socketAt)
      if (socket === undefined) return
      now += 700
      const known =
        frame.type === 'send'
          ? [...messages.values()].find(
              ({ from, clientId }) => from === socket.userId && clientId === frame.clientId,
            )
          : undefined
      const target = 'id' in frame ? messages.get(frame.id) : undefined
      if (frame.type === 'resume') {
        const own = heard.get(socket.id)
        if (own !== undefined) own.position = frame.after
      }
      run({
        type: 'frame',
        socket: socket.id,
        frame,
        lookup: { now, newId: uuid(ids++), waitMs: 0, files: [], known, target },
      })
      if (frame.type === 'send' && socket.mode !== 'new' && !state.closed.is) {
        const stored = [...messages.values()].filter(
          ({ from, clientId }) => from === socket.userId && clientId === frame.clientId,
        )
        check(stored.length === 1, `a message is stored ${stored.length} times`)
        const key = `${socket.userId} ${frame.clientId}`
        check((acked.get(key) ?? stored[0]?.id) === stored[0]?.id, 'acknowledged as two messages')
        acked.set(key, stored[0]?.id ?? '')
      }
    },
    apply(user: number, version: number, left: boolean) {
      const userId = users[user] ?? ''
      const before = model.get(userId)
      if (before === undefined || before.version < version) model.set(userId, { version, left })
      run({
        type: 'applied',
        version: 0,
        closed: false,
        at,
        newId: uuid(ids++),
        members: [{ userId, role: user === 3 ? 'shop' : 'customer', version, left }],
      })
      for (const [one, { left: gone }] of model) {
        check((memberOf(state, one) === undefined) === gone, 'an older list has won')
        if (gone)
          check(
            ![...state.sockets.values()].some((socket) => socket.userId === one),
            'a removed member keeps a socket',
          )
      }
    },
  }
}

type World = ReturnType<typeof world>

/** A world with two members and an open socket of each. */
const started = (): World => {
  const w = world()
  w.apply(0, 1, false)
  w.apply(3, 2, false)
  for (const user of [0, 3]) w.connect(user)
  for (const n of [0, 1]) w.frame(n, { type: 'resume', after: 0 })
  return w
}

const socketAt = fc.nat(7)
const smallSeq = fc.nat(40)
const commands = fc.oneof(
  { weight: 9, arbitrary: fc.record({ do: fc.constant('send' as const), socketAt, clientId: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), user: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('resume' as const),
      socketAt,
      after: smallSeq,
      epoch: fc.constantFrom('epoch', 'epoch', 'other', undefined),
      batch: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('edit' as const, 'remove' as const),
      socketAt,
      nth: fc.nat(20),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('delivered' as const, 'read' as const),
      socketAt,
      seq: smallSeq,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('typing' as const, 'bad' as const, 'drop' as const, 'history' as const),
      socketAt,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      user: fc.nat(3),
      version: fc.integer({ min: 1, max: 12 }),
      left: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      version: fc.integer({ min: 1, max: 12 }),
      closed: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('receipts' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('endSession' as const), user: fc.nat(3) }) },
)

type Command = typeof commands extends fc.Arbitrary<infer C> ? C : never

const nthMessage = ({ messages }: World, nth: number): string =>
  [...messages.keys()][nth % Math.max(1, messages.size)] ?? uuid(999)

const perform = (w: World, command: Command): void => {
  switch (command.do) {
    case 'send':
      return w.frame(command.socketAt, { type: 'send', clientId: `c${command.clientId}`, content: 'text' })
    case 'connect':
      return w.connect(command.user)
    case 'resume': {
      const { after, epoch, batch } = command
      return w.frame(command.socketAt, {
        type: 'resume',
        after,
        batch,
        ...(epoch !== undefined && { epoch }),
      })
    }
    case 'edit':
      return w.frame(command.socketAt, {
        type: 'edit',
        id: nthMessage(w, command.nth),
        content: `edited ${command.nth}`,
      })
    case 'remove':
      return w.frame(command.socketAt, { type: 'remove', id: nthMessage(w, command.nth) })
    case 'delivered':
    case 'read':
      return w.frame(command.socketAt, { type: command.do, seq: command.seq })
    case 'typing':
      return w.frame(command.socketAt, { type: 'typing' })
    case 'history':
      return w.frame(command.socketAt, { type: 'history', limit: 5 })
    case 'bad':
    case 'drop': {
      const socket = w.socketAt(command.socketAt)
      if (socket === undefined) return
      return w.run({ type: command.do === 'bad' ? 'badFrame' : 'disconnected', socket: socket.id })
    }
    case 'apply':
      return w.apply(command.user, command.version, command.left)
    case 'close':
      return w.run({
        type: 'applied',
        version: command.version,
        closed: command.closed,
        members: [],
        at,
        newId: uuid(5_000 + w.log.length),
      })
    case 'receipts':
      return w.run({ type: 'receiptsDue' })
    case 'endSession':
      return w.run({ type: 'sessionsEnded', sessions: [uuid(command.user + 50)] })
  }
}

describe('the room, as a machine', () => {
  it('keeps its promises through 2,000 random lives', () => {
    const reached = { messages: 0, edits: 0, members: 0 }
    fc.assert(
      fc.property(fc.array(commands, { minLength: 10, maxLength: 80 }), (life) => {
        const w = started()
        for (const command of life) perform(w, command)
        w.run({ type: 'receiptsDue' })
        for (const socket of w.state.sockets.values()) {
          if (socket.mode === 'live') expect(w.heard.get(socket.id)?.position).toBe(w.log.length)
        }
        for (const { type } of w.log) {
          if (type === 'message') reached.messages += 1
          else if (type === 'member') reached.members += 1
          else reached.edits += 1
        }
      }),
      { numRuns: 2_000 },
    )
    // The lives are of some interest: a generator that hardly writes proves hardly anything.
    expect(reached.messages).toBeGreaterThan(4_000)
    expect(reached.edits).toBeGreaterThan(500)
    expect(reached.members).toBeGreaterThan(2_000)
  })
})

const lookup = { now: 10_000, newId: uuid(900), waitMs: 0, files: [] }

describe('a step', () => {
  it('refuses everything but resume before ready', () => {
    const w = world()
    w.apply(0, 1, false)
    w.connect(0)
    const [socket] = w.state.sockets.values()
    const frame = { type: 'send' as const, clientId: 'c', content: 'x' }
    const { effects } = step(w.state, { type: 'frame', socket: socket!.id, frame, lookup })
    expect(effects).toEqual([
      { do: 'send', to: socket!.id, frame: { type: 'error', code: 'NOT_RESUMED', clientId: 'c' } },
    ])
  })

  it('answers what was sent before with the same ack, although the conversation is closed and the limit reached', () => {
    const w = started()
    w.frame(0, { type: 'send', clientId: 'c', content: 'x' })
    const [known] = w.messages.values()
    const state = { ...w.state, closed: { is: true, version: 9 } }
    const [socket] = state.sockets.values()
    const frame = { type: 'send' as const, clientId: 'c', content: 'x' }
    const { effects, state: after } = step(state, {
      type: 'frame',
      socket: socket!.id,
      frame,
      lookup: { ...lookup, known, waitMs: 500 },
    })
    expect(effects).toMatchObject([{ do: 'send', frame: { type: 'ack', id: known!.id, seq: known!.seq } }])
    expect(after).toBe(state)
  })

  it('lets the shop remove what a customer wrote, and not reword it', () => {
    const w = started()
    w.frame(0, { type: 'send', clientId: 'c', content: 'x' })
    const [target] = w.messages.values()
    const shop = [...w.state.sockets.values()].find(({ userId }) => userId === users[3])
    const ask = (frame: ClientFrame) =>
      step(w.state, { type: 'frame', socket: shop!.id, frame, lookup: { ...lookup, target } }).effects
    expect(ask({ type: 'edit', id: target!.id, content: 'y' })).toMatchObject([
      { frame: { code: 'NOT_FOUND' } },
    ])
    expect(ask({ type: 'remove', id: target!.id })).toMatchObject([
      { do: 'append' },
      { do: 'broadcast' },
      { do: 'publish' },
    ])
  })

  it('closes a socket at its tenth bad frame', () => {
    let { state } = started()
    const [socket] = state.sockets.values()
    const codes: Effect[] = []
    for (let n = 0; n < 10; n++) {
      const next = step(state, { type: 'badFrame', socket: socket!.id })
      state = next.state
      codes.push(...next.effects)
    }
    expect(codes.slice(0, 9)).toEqual(
      Array.from({ length: 9 }, () =>
        expect.objectContaining({ frame: { type: 'error', code: 'INVALID_FRAME' } }),
      ),
    )
    expect(codes[9]).toMatchObject({ do: 'close', code: closeCodes.protocol })
  })

  it('tells receipts to all of fifty members, and of fifty-one to the authors only', () => {
    for (const [size, what] of [
      [smallRoom, 'broadcast'],
      [smallRoom + 1, 'tellAuthors'],
    ] as const) {
      const members = Array.from({ length: size }, (_, n) => ({
        userId: uuid(n),
        role: 'customer' as const,
        version: n + 1,
        left: false,
      }))
      const made = step(emptyRoom('e'), {
        type: 'applied',
        version: 0,
        closed: false,
        members,
        at,
        newId: uuid(1),
      }).state
      expect(presentMembers(made)).toHaveLength(size)
      const { effects } = step(made, { type: 'read', userId: uuid(0), seq: 3 })
      expect(effects.map((effect) => effect.do)).toEqual(['receiptsSoon', 'saveMarks', what, 'publish'])
    }
  })

  it('passes typing on once a second, to everyone but who types', () => {
    const w = started()
    const type = (now: number) => {
      const [socket] = w.state.sockets.values()
      const before = w.state
      w.run({ type: 'frame', socket: socket!.id, frame: { type: 'typing' }, lookup: { ...lookup, now } })
      return before !== w.state
    }
    expect([type(1_000), type(1_500), type(2_000)]).toEqual([true, false, true])
  })
})
