import { createFileStore } from './file-store.ts'
import { createLog } from './log.ts'
import type { MemberState, State } from './room/state.ts'

/** The storage of a Durable Object, as far as it is used here. */
type Storage = Pick<DurableObjectStorage, 'sql' | 'kv' | 'transactionSync'>

const schema = `
  create table if not exists members (
    user text primary key, role text not null, version integer not null, departed integer not null,
    delivered integer not null, read integer not null
  );
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
        members: new Map(
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
    },

    saveMarks(marks: readonly { userId: string; delivered: number; read: number }[]): void {
      storage.transactionSync(() => {
        for (const { userId, delivered, read } of marks) {
          sql.exec('update members set delivered = ?, read = ? where user = ?', delivered, read, userId)
        }
      })
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
