import { createFileStore } from './file-store.ts'
import { VersionedMap } from '../shared/versioned-map.ts'
import { createLog } from './log.ts'
import type { MemberState, State } from './room/state.ts'

/** The storage of a Durable Object, as far as it is used here. */
type Storage = Pick<DurableObjectStorage, 'sql' | 'kv' | 'transactionSync'>

const schema = `
  create table if not exists members (
    user text primary key, role text not null, version integer not null, departed integer not null,
    delivered integer not null, read integer not null
  );
  create table if not exists published (user text primary key, read integer not null);
  create table if not exists ended_sessions (id text primary key, at integer not null);`

type MemberRow = {
  user: string
  role: MemberState['role']
  version: number
  departed: number
  delivered: number
  read: number
}

/** What a room keeps: the log, in SQLite, and what must outlive a restart beside it. */
export const createRoomStore = (storage: Storage, newEpoch: () => string) => {
  const { sql, kv } = storage
  const files = createFileStore(storage)
  const log = createLog(storage, files)
  sql.exec(schema)
  type Columns = Record<string, SqlStorageValue>
  const one = <Row extends Columns>(query: string, ...values: SqlStorageValue[]): Row | undefined =>
    sql.exec<Row>(query, ...values).toArray()[0]

  const published = new Map(
    sql
      .exec<{ user: string; read: number }>('select user, read from published')
      .toArray()
      .map(({ user, read }) => [user, read]),
  )

  const epochOf = (): string => {
    const known = kv.get<string>('epoch')
    if (known !== undefined) return known
    const made = newEpoch()
    kv.put('epoch', made)
    return made
  }

  return {
    ...log,
    files,

    load(): Omit<State, 'sockets' | 'changed' | 'typed'> {
      const members = sql.exec<MemberRow>('select * from members').toArray()
      return {
        epoch: epochOf(),
        ...log.extent(),
        closed: kv.get<State['closed']>('closed') ?? { is: false, version: 0 },
        members: VersionedMap.of(
          members.map(({ user: userId, departed, ...rest }): [string, MemberState] => [
            userId,
            { userId, left: departed === 1, ...rest },
          ]),
        ),
      }
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
      // PostgreSQL tells of this member anew, perhaps because an older copy of it was restored.
      if (published.delete(userId)) sql.exec('delete from published where user = ?', userId)
    },

    saveMarks(marks: readonly { userId: string; delivered: number; read: number }[]): void {
      storage.transactionSync(() => {
        for (const { userId, delivered, read } of marks) {
          sql.exec('update members set delivered = ?, read = ? where user = ?', delivered, read, userId)
        }
      })
    },

    /** Up to where PostgreSQL knows that this member has read. */
    publishedRead: (userId: string): number => published.get(userId) ?? 0,

    markPublished(reads: readonly { userId: string; read: number }[]): void {
      for (const { userId, read } of reads) {
        sql.exec('insert or replace into published (user, read) values (?, ?)', userId, read)
        published.set(userId, read)
      }
    },

    saveClosed: (closed: State['closed']): void => kv.put('closed', closed),

    /** A session that has ended never begins again: who was on the way in with it is refused. */
    endSessions(ids: readonly string[], now: number): void {
      for (const id of ids) sql.exec('insert or replace into ended_sessions (id, at) values (?, ?)', id, now)
    },

    isEnded: (session: string): boolean =>
      one('select 1 from ended_sessions where id = ?', session) !== undefined,

    forgetEndedBefore: (at: number): void => void sql.exec('delete from ended_sessions where at < ?', at),
  }
}

export type RoomStore = ReturnType<typeof createRoomStore>
