import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { hashPassword } from '../src/auth/password.ts'
import { databaseUrl } from './database-url.ts'
import { logins, makeRows } from './seed/rows.ts'

export { logins }

/** The demonstration accounts have published passwords: they are for this machine. */
export const isLocal = (url: string): boolean =>
  /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)

const insert = async (client: pg.Client, table: string, rows: object[]): Promise<void> => {
  const columns = Object.keys(rows[0] ?? {}).join(', ')
  await client.query(
    `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows)],
  )
}

const fill = async (client: pg.Client): Promise<boolean> => {
  // Two that seed at once: the second waits here and finds users.
  await client.query("select pg_advisory_xact_lock(hashtext('selvedge.seed'))")
  const { rowCount } = await client.query('select from users limit 1')
  if (rowCount !== 0) return false
  const rows = await makeRows(Date.now(), hashPassword(logins[0].password))
  for (const [table, of] of Object.entries(rows)) await insert(client, table, of)
  await client.query('analyze')
  return true
}

/**
 * Fills an empty database with demonstration data in one transaction; true when it did. The accounts have published
 * passwords, so a database that is not local is refused unless `force`.
 */
export const seedIfEmpty = async (url: string, { force = false } = {}): Promise<boolean> => {
  if (!isLocal(url) && !force) {
    throw new Error(
      `Refusing to seed ${new URL(url).hostname}: it is not local (--force does it all the same)`,
    )
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    const filled = await fill(client)
    await client.query('commit')
    return filled
  } finally {
    await client.end()
  }
}

const main = async (): Promise<void> => {
  const url = databaseUrl()
  if (url === undefined) throw new Error('No database: start `npm run dev` or set DATABASE_URL')
  const filled = await seedIfEmpty(url, { force: process.argv.includes('--force') })
  console.log(filled ? 'Seeded.' : 'Nothing to do: the database has users already.')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main().catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
