import { createFileStore } from './file-store.ts'
import { AttachedFile, System, type LogEvent, type Message } from './protocol.ts'
import type { MemberState, State } from './room.ts'

/** The storage of a Durable Object, as far as it is used here. */
type Storage = Pick<DurableObjectStorage, 'sql' | 'kv' | 'transactionSync'>

/** Moments are kept as milliseconds: a number takes less than a text, and the log may grow long. */
const schema = `
  create table if not exists messages (
    seq integer primary key, n integer not null, id text not null unique, author text, client_id text not null,
    at integer not null, content text not null, attachments text, system text, edited_at integer, removed_at integer
  );
  create unique index if not exists messages_client on messages (coalesce(author, ''), client_id);
  create table if not exists events (
    seq integer primary key, kind text not null, message text, user text, at integer not null, detail text
  );
  create table if not exists members (
    user text primary key, role text not null, version integer not null, departed integer not null,
    delivered integer not null, read integer not null
  );
  create table if not exists ended_sessions (id text primary key, at integer not null);`

type MessageRow = {
  seq: number
  n: number
  id: string
  author: string | null
  client_id: string
  at: number
  content: string
  attachments: string | null
  system: string | null
  edited_at: number | null
  removed_at: number | null
}

type EventRow = {
  seq: number
  kind: 'joined' | 'left' | 'messageEdited' | 'messageRemoved'
  message: string
  user: string
  at: number
  detail: string
  /** Of the message that it is about; null: that was dropped. */
  content: string | null
}

type MemberRow = {
  user: string
  role: MemberState['role']
  version: number
  departed: number
  delivered: number
  read: number
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

const milliseconds = (at: string): number => Date.parse(at)

const messageOf = (row: MessageRow): Message => ({
  seq: row.seq,
  id: row.id,
  clientId: row.client_id,
  from: row.author,
  at: iso(row.at),
  content: row.content,
  ...(row.attachments !== null && { attachments: AttachedFile.array().parse(JSON.parse(row.attachments)) }),
  ...(row.system !== null && { system: System.parse(JSON.parse(row.system)) }),
  ...(row.edited_at !== null && { editedAt: iso(row.edited_at) }),
  ...(row.removed_at !== null && { removedAt: iso(row.removed_at) }),
})

/** An edit is told with the text as it is now: what was removed since is told no more. */
const eventOf = ({ seq, kind, message: id, user, detail, content, ...row }: EventRow): LogEvent => {
  const at = iso(row.at)
  switch (kind) {
    case 'messageEdited':
      return { type: kind, seq, at, id, content: content ?? '' }
    case 'messageRemoved':
      return { type: kind, seq, at, id, by: user }
    case 'joined':
    case 'left':
      return {
        type: 'member',
        seq,
        at,
        userId: user,
        change: kind,
        role: detail === 'shop' ? 'shop' : 'customer',
      }
  }
}

/** What a room keeps: the log, in SQLite, and what must outlive a restart beside it. */
export const createRoomStore = (storage: Storage, newEpoch: () => string) => {
  const { sql, kv } = storage
  sql.exec(schema)
  const files = createFileStore(storage)
  type Columns = Record<string, SqlStorageValue>
  const one = <Row extends Columns>(query: string, ...values: SqlStorageValue[]): Row | undefined =>
    sql.exec<Row>(query, ...values).toArray()[0]

  const epochOf = (): string => {
    const known = kv.get<string>('epoch')
    if (known !== undefined) return known
    const made = newEpoch()
    kv.put('epoch', made)
    return made
  }

  const insertMessage = (message: Message, n: number): void => {
    const { seq, id, from, clientId, at, content, attachments, system } = message
    sql.exec(
      'insert into messages (seq, n, id, author, client_id, at, content, attachments, system) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      seq,
      n,
      id,
      from,
      clientId,
      milliseconds(at),
      content,
      attachments === undefined ? null : JSON.stringify(attachments),
      system === undefined ? null : JSON.stringify(system),
    )
    files.use(message)
  }

  const insertEvent = (
    seq: number,
    kind: string,
    message: string | null,
    user: string | null,
    at: string,
    detail: string | null = null,
  ): void => {
    sql.exec(
      'insert into events (seq, kind, message, user, at, detail) values (?, ?, ?, ?, ?, ?)',
      seq,
      kind,
      message,
      user,
      milliseconds(at),
      detail,
    )
  }

  const appendEvent = (event: Exclude<LogEvent, { type: 'message' }>): void => {
    const { type, seq, at } = event
    if (type === 'member') return insertEvent(seq, event.change, null, event.userId, at, event.role)
    if (type === 'messageEdited') {
      insertEvent(seq, type, event.id, null, at)
      sql.exec(
        'update messages set content = ?, edited_at = ? where id = ?',
        event.content,
        milliseconds(at),
        event.id,
      )
      return
    }
    insertEvent(seq, type, event.id, event.by, at)
    sql.exec(
      `update messages set content = '', attachments = null, removed_at = ? where id = ?`,
      milliseconds(at),
      event.id,
    )
    const removed = one<{ seq: number }>('select seq from messages where id = ?', event.id)
    if (removed !== undefined) files.disuse(removed.seq, removed.seq)
  }

  return {
    files,

    load(): Omit<State, 'sockets' | 'changed' | 'typed'> {
      const members = sql.exec<MemberRow>('select * from members').toArray()
      const last = one<{ head: number; n: number }>(
        `select max(coalesce((select max(seq) from messages), 0), coalesce((select max(seq) from events), 0)) as head,
          coalesce((select n from messages order by seq desc limit 1), 0) as n`,
      )
      const first = kv.get<number>('first') ?? 1
      return {
        epoch: epochOf(),
        head: Math.max(last?.head ?? 0, first - 1),
        first,
        messages: Math.max(last?.n ?? 0, kv.get<number>('dropped') ?? 0),
        closed: kv.get<State['closed']>('closed') ?? { is: false, version: 0 },
        members: new Map(
          members.map(({ user: userId, departed, ...rest }): [string, MemberState] => [
            userId,
            { userId, left: departed === 1, ...rest },
          ]),
        ),
      }
    },

    append(event: LogEvent, n: number): void {
      if (event.type === 'message') return insertMessage(event, n)
      appendEvent(event)
    },

    saveMember({ userId, role, version, left, delivered, read }: MemberState): void {
      sql.exec(
        'insert or replace into members (user, role, version, departed, delivered, read) values (?, ?, ?, ?, ?, ?)',
        userId,
        role,
        version,
        left ? 1 : 0,
        delivered,
        read,
      )
    },

    saveMarks(marks: readonly { userId: string; delivered: number; read: number }[]): void {
      storage.transactionSync(() => {
        for (const { userId, delivered, read } of marks) {
          sql.exec('update members set delivered = ?, read = ? where user = ?', delivered, read, userId)
        }
      })
    },

    saveClosed: (closed: State['closed']): void => kv.put('closed', closed),

    /** What came after `seq`, oldest first. */
    after(seq: number, limit: number): LogEvent[] {
      const messages = sql
        .exec<MessageRow>('select * from messages where seq > ? order by seq limit ?', seq, limit)
        .toArray()
      const events = sql
        .exec<EventRow>(
          `select events.*, messages.content from events left join messages on messages.id = events.message
            where events.seq > ? order by events.seq limit ?`,
          seq,
          limit,
        )
        .toArray()
      return [
        ...messages.map((row): LogEvent => ({ type: 'message', ...messageOf(row) })),
        ...events.map(eventOf),
      ]
        .toSorted((a, b) => a.seq - b.seq)
        .slice(0, limit)
    },

    /** Messages before `seq`, oldest first. */
    page(before: number | null, limit: number): { messages: Message[]; hasMore: boolean } {
      const rows = sql
        .exec<MessageRow>(
          'select * from messages where seq < ? order by seq desc limit ?',
          before ?? Number.MAX_SAFE_INTEGER,
          limit + 1,
        )
        .toArray()
      return { messages: rows.slice(0, limit).map(messageOf).toReversed(), hasMore: rows.length > limit }
    },

    find(id: string): Message | undefined {
      const row = one<MessageRow>('select * from messages where id = ?', id)
      return row && messageOf(row)
    },

    findSent(from: string | null, clientId: string): Message | undefined {
      const row = one<MessageRow>(
        `select * from messages where coalesce(author, '') = ? and client_id = ?`,
        from ?? '',
        clientId,
      )
      return row && messageOf(row)
    },

    last(): Message | undefined {
      const row = one<MessageRow>('select * from messages order by seq desc limit 1')
      return row && messageOf(row)
    },

    /** The number of the last message up to `seq`. */
    numberAt: (seq: number): number =>
      one<{ n: number }>('select n from messages where seq <= ? order by seq desc limit 1', seq)?.n ??
      Math.min(kv.get<number>('dropped') ?? 0, seq),

    /** Who wrote what stands after `from` up to `to`. */
    authors: (from: number, to: number): { seq: number; author: string }[] =>
      sql
        .exec<{ seq: number; author: string }>(
          'select seq, author from messages where seq > ? and seq <= ? and author is not null',
          from,
          to,
        )
        .toArray(),

    /** A session that has ended never begins again: who was on the way in with it is refused. */
    endSessions(ids: readonly string[], now: number): void {
      for (const id of ids) sql.exec('insert or replace into ended_sessions (id, at) values (?, ?)', id, now)
    },

    isEnded: (session: string): boolean =>
      one('select 1 from ended_sessions where id = ?', session) !== undefined,

    forgetEndedBefore: (at: number): void => void sql.exec('delete from ended_sessions where at < ?', at),

    size: (): number => sql.databaseSize,

    /** Drops the oldest `amount` places of the log; answers the first that is left. */
    dropOldest(first: number, amount: number): number {
      const next = first + amount
      storage.transactionSync(() => {
        const last = one<{ n: number }>(
          'select n from messages where seq < ? order by seq desc limit 1',
          next,
        )
        if (last !== undefined) kv.put('dropped', last.n)
        sql.exec('delete from messages where seq < ?', next)
        sql.exec('delete from events where seq < ?', next)
        files.disuse(0, next - 1)
        kv.put('first', next)
      })
      return next
    },
  }
}
