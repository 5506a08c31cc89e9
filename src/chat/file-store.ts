import type { ConversationFile, Released } from './conversation-file.ts'
import { AttachedFile, type Message } from './protocol.ts'

/** The storage of a Durable Object, as far as it is used here. */
type Storage = Pick<DurableObjectStorage, 'sql'>

/**
 * `released`: no message shows it any more, or its owner has taken it out; 1 until PostgreSQL has been told, then 2. The
 * row stays, so that what is told late does not bring the file back.
 */
const schema = `
  create table if not exists shared_files (
    id text primary key, owner text not null, version integer not null, file text not null,
    released integer not null default 0
  ) without rowid;
  create index if not exists shared_files_released on shared_files (id) where released = 1;
  create table if not exists file_uses (file text not null, seq integer not null, primary key (file, seq)) without rowid;
  create index if not exists file_uses_seq on file_uses (seq);`

/** Released files that are told at a time. */
const maxTold = 500

const unused = `released = 0 and not exists (select 1 from file_uses where file = shared_files.id)`

/** The files that members of a room have brought into it, and which of its messages show them. */
export const createFileStore = ({ sql }: Storage) => {
  sql.exec(schema)

  const isUsed = (id: string): boolean =>
    sql.exec('select 1 from file_uses where file = ? limit 1', id).toArray().length > 0

  const released = (): Released[] => {
    const query = 'select id, version from shared_files where released = 1 order by id limit ?'
    return sql.exec<Released>(query, maxTold).toArray()
  }

  return {
    /** Only upwards by version: what is older than what is known, or the same, changes nothing. */
    bring(files: readonly ConversationFile[]): void {
      for (const { owner, version, file } of files) {
        sql.exec(
          `insert into shared_files (id, owner, version, file) values (?, ?, ?, ?)
            on conflict (id) do update set version = excluded.version, file = excluded.file, released = 0
            where excluded.version > shared_files.version`,
          file.id,
          owner,
          version,
          JSON.stringify(file),
        )
      }
    },

    /** Each once, in the order in which they are named; null when one of them is not there for that author to send. */
    find(owner: string, ids: readonly string[]): AttachedFile[] | null {
      const files: AttachedFile[] = []
      for (const id of new Set(ids.map((one) => one.toLowerCase()))) {
        const query = 'select file from shared_files where id = ? and owner = ? and released = 0'
        const [row] = sql.exec<{ file: string }>(query, id, owner).toArray()
        if (row === undefined) return null
        files.push(AttachedFile.parse(JSON.parse(row.file)))
      }
      return files
    },

    /** A message shows them. */
    use({ seq, attachments = [] }: Message): void {
      for (const { id } of attachments) sql.exec('insert into file_uses (file, seq) values (?, ?)', id, seq)
    },

    /** The messages at these places of the log show nothing any more. */
    disuse(from: number, to: number): void {
      const ids = sql
        .exec<{ file: string }>('select distinct file from file_uses where seq between ? and ?', from, to)
        .toArray()
      sql.exec('delete from file_uses where seq between ? and ?', from, to)
      for (const { file } of ids)
        sql.exec(`update shared_files set released = 1 where id = ? and ${unused}`, file)
    },

    /** Their owner takes them out; false, and all stay: a message shows one of them. */
    release(ids: readonly string[]): boolean {
      if (ids.some(isUsed)) return false
      for (const id of ids) sql.exec(`update shared_files set released = 1 where id = ? and ${unused}`, id)
      return true
    },

    /** What PostgreSQL has not been told yet, as much as is told at a time. */
    released,

    /** It has; answers whether there is more to tell. */
    told(these: readonly Released[]): boolean {
      const query = 'update shared_files set released = 2 where id = ? and version = ? and released = 1'
      for (const { id, version } of these) sql.exec(query, id, version)
      return released().length > 0
    },
  }
}

export type FileStore = ReturnType<typeof createFileStore>
