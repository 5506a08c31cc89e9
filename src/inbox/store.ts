import { retention, Subject, type Notification } from './protocol.ts'
import type { State as Presences } from './presence.ts'
import type { State as Unread } from './unread.ts'

/** The storage of a Durable Object, as far as it is used here. */
type Storage = Pick<DurableObjectStorage, 'sql' | 'kv' | 'transactionSync'>

/** `id` is of the job that caused it: one that comes again is known. Moments are milliseconds. */
const schema = `
  create table if not exists notifications (
    seq integer primary key, id text not null unique, at integer not null, subject text not null,
    read_at integer
  );
  create index if not exists notifications_at on notifications (at);
  create table if not exists ended_sessions (id text primary key, at integer not null);`

type Row = { seq: number; id: string; at: number; subject: string; read_at: number | null }

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

const notificationOf = ({ seq, id, at, subject, read_at }: Row): Notification => ({
  seq,
  id,
  at: iso(at),
  subject: Subject.parse(JSON.parse(subject)),
  readAt: read_at === null ? null : iso(read_at),
})

const keptFor = retention.days * 86_400_000

/** Entries of a map, one key each. */
const mapIn = <V>({ kv }: Storage, prefix: string) => ({
  load: (): Map<string, V> =>
    new Map([...kv.list<V>({ prefix })].map(([name, value]) => [name.slice(prefix.length), value])),
  save: (key: string, value: V): void => kv.put(`${prefix}${key}`, value),
  drop: (key: string): void => void kv.delete(`${prefix}${key}`),
})

type ValueOf<M> = M extends ReadonlyMap<string, infer V> ? V : never

type SavedPresence = Pick<Presences, 'presence' | 'silentSince'>

/** What an inbox keeps beside its tickets: notifications in SQLite, and what presence and unread are decided by. */
export const createInboxStore = (storage: Storage, newEpoch: () => string) => {
  const { sql, kv } = storage
  sql.exec(schema)
  const one = (query: string, ...values: SqlStorageValue[]): Row | undefined =>
    sql.exec<Row>(query, ...values).toArray()[0]

  const number = (query: string): number => sql.exec<{ n: number }>(query).one().n

  /** The position of the newest that was dropped: from there on nothing is missing. */
  const floor = (): number => kv.get<number>('floor') ?? 0

  const head = (): number => Math.max(floor(), number('select coalesce(max(seq), 0) as n from notifications'))

  const epochOf = (): string => {
    const known = kv.get<string>('epoch')
    if (known !== undefined) return known
    const made = newEpoch()
    kv.put('epoch', made)
    return made
  }

  return {
    epoch: epochOf(),
    sources: mapIn<ValueOf<Presences['sources']>>(storage, 'source/'),
    subscribers: mapIn<ValueOf<Presences['subscribers']>>(storage, 'subscriber/'),
    unread: mapIn<ValueOf<Unread['conversations']>>(storage, 'unread/'),

    loadPresence: (): SavedPresence | undefined => kv.get<SavedPresence>('presence'),
    savePresence: (value: SavedPresence): void => kv.put('presence', value),

    loadDigested: (): boolean => kv.get<boolean>('digested') ?? false,
    saveDigested: (value: boolean): void => kv.put('digested', value),

    /** The digest that is being ordered: the same until it is known to be ordered. */
    digestId(newId: () => string): string {
      const known = kv.get<string>('digestId')
      if (known !== undefined) return known
      const made = newId()
      kv.put('digestId', made)
      return made
    },
    digestOrdered: (): void => void kv.delete('digestId'),

    head,
    floor,

    /** Undefined when it is there already. */
    add(id: string, subject: Subject, at: number): Notification | undefined {
      if (one('select * from notifications where id = ?', id) !== undefined) return undefined
      const seq = head() + 1
      const text = JSON.stringify(subject)
      sql.exec('insert into notifications (seq, id, at, subject) values (?, ?, ?, ?)', seq, id, at, text)
      return { seq, id, at: iso(at), subject, readAt: null }
    },

    /** What came after `seq`, oldest first. */
    after: (seq: number): Notification[] =>
      sql
        .exec<Row>('select * from notifications where seq > ? order by seq', seq)
        .toArray()
        .map(notificationOf),

    /** Newest first; `before` null: from the newest. */
    page(before: number | null, limit: number, unreadOnly: boolean) {
      const rows = sql
        .exec<Row>(
          `select * from notifications where seq < ? and (read_at is null or not ?) order by seq desc limit ?`,
          before ?? Number.MAX_SAFE_INTEGER,
          unreadOnly ? 1 : 0,
          limit + 1,
        )
        .toArray()
      return { notifications: rows.slice(0, limit).map(notificationOf), hasMore: rows.length > limit }
    },

    unreadCount: (): number => number('select count(*) as n from notifications where read_at is null'),

    /** The notification, read; a first reading stays. Undefined: there is none. */
    markRead(id: string, at: number): Notification | undefined {
      sql.exec('update notifications set read_at = ? where id = ? and read_at is null', at, id)
      const row = one('select * from notifications where id = ?', id)
      return row && notificationOf(row)
    },

    markAllRead: (upTo: number, at: number): void =>
      void sql.exec('update notifications set read_at = ? where seq <= ? and read_at is null', at, upTo),

    /** Drops what is too old or too many; when the next becomes too old, undefined: there is none. */
    trim(now: number): number | undefined {
      storage.transactionSync(() => {
        const floor = number(
          `select max(
            coalesce((select max(seq) from notifications where at <= ${now - keptFor}), 0),
            coalesce((select seq from notifications order by seq desc limit 1 offset ${retention.count}), 0)) as n`,
        )
        if (floor === 0) return
        sql.exec('delete from notifications where seq <= ?', floor)
        kv.put('floor', floor)
      })
      const oldest = one('select * from notifications order by seq limit 1')
      return oldest && oldest.at + keptFor
    },

    /** A session that has ended never begins again: who is on the way in with it is refused. */
    endSessions(ids: readonly string[], now: number): void {
      for (const id of ids) sql.exec('insert or replace into ended_sessions (id, at) values (?, ?)', id, now)
    },

    isEnded: (session: string): boolean =>
      sql.exec('select 1 from ended_sessions where id = ?', session).toArray().length > 0,

    forgetEndedBefore: (at: number): void => void sql.exec('delete from ended_sessions where at < ?', at),
  }
}
