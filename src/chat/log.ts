import type { FileStore } from './file-store.ts'
import { eventOf, messageOf, milliseconds, type EventRow, type MessageRow } from './log-rows.ts'
import type { LogEvent, Message } from './protocol.ts'

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
  );`

/** The log of a room in the object's SQLite: messages as they are now, and what else has a place beside them. */
export const createLog = (storage: Storage, files: Pick<FileStore, 'use' | 'disuse'>) => {
  const { sql, kv } = storage
  sql.exec(schema)
  type Columns = Record<string, SqlStorageValue>
  const one = <Row extends Columns>(query: string, ...values: SqlStorageValue[]): Row | undefined =>
    sql.exec<Row>(query, ...values).toArray()[0]

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
    /** Its ends, and how many messages there ever were. */
    extent(): { head: number; first: number; messages: number } {
      const last = one<{ head: number; n: number }>(
        `select max(coalesce((select max(seq) from messages), 0), coalesce((select max(seq) from events), 0)) as head,
          coalesce((select n from messages order by seq desc limit 1), 0) as n`,
      )
      const first = kv.get<number>('first') ?? 1
      return {
        head: Math.max(last?.head ?? 0, first - 1),
        first,
        messages: Math.max(last?.n ?? 0, kv.get<number>('dropped') ?? 0),
      }
    },

    append(event: LogEvent, n: number): void {
      if (event.type === 'message') return insertMessage(event, n)
      appendEvent(event)
    },

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
          'select seq, author from messages where seq > ? and seq <= ? and author is not null order by seq',
          from,
          to,
        )
        .toArray(),

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
