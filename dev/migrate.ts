// `node dev/migrate.ts up` and `node dev/migrate.ts down [steps]`; `npm run dev` applies what is missing itself.
import pg from 'pg'
import { databaseUrl } from './database-url.ts'
import { MIGRATIONS, readDown, readMigrations, type Migration, type Script } from './migration-files.ts'

// Held to the end of the transaction: two that start at once take turns, each sees what the other applied.
const LOCK = `select pg_advisory_xact_lock(hashtext('selvedge.migrations'))`

const JOURNAL = `
  create schema if not exists migrations;
  create table if not exists migrations.applied (
    name text primary key, checksum text not null, at timestamptz not null default now()
  )`

// What is deferred to the commit fails where the file is still known.
const CHECK_DEFERRED = 'set constraints all immediate'

type Applied = { name: string; checksum: string }

const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  if (error instanceof pg.DatabaseError && error.detail) return `${error.message} (${error.detail})`
  return error instanceof Error ? error.message : String(error)
}

const withClient = async <T>(url: string, work: (client: pg.Client) => Promise<T>) => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    throw new Error(`Cannot reach the database to migrate it: ${reasonOf(error)}`, { cause: error })
  }
  try {
    return await work(client)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    throw new Error(`Cannot migrate the database: ${reasonOf(error)}`, { cause: error })
  } finally {
    await client.end().catch(() => undefined)
  }
}

const inTransaction = async <T>(client: pg.Client, work: () => Promise<T>) => {
  await client.query('begin')
  try {
    await client.query(LOCK)
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

const execute = async (client: pg.Client, { path, statements }: Script) => {
  for (const [index, statement] of [...statements, CHECK_DEFERRED].entries()) {
    try {
      await client.query(statement)
    } catch (error) {
      throw new Error(`Migration ${path} failed at statement ${index + 1}: ${reasonOf(error)}`, {
        cause: error,
      })
    }
    if (client.getTransactionStatus() !== 'T') {
      throw new Error(`Migration ${path} ends the transaction at statement ${index + 1}: it must not.`)
    }
  }
}

const readApplied = async (client: pg.Client) => {
  await client.query(JOURNAL)
  return (await client.query<Applied>('select name, checksum from migrations.applied order by at, name')).rows
}

const refuseChanged = (migrations: Migration[], applied: Applied[]) => {
  for (const { name, up } of migrations) {
    const known = applied.find((one) => one.name === name)
    if (known && known.checksum !== up.checksum) {
      throw new Error(
        `Migration ${up.path} was changed after it had been applied: restore it and add a new one.`,
      )
    }
  }
}

/** Runs one step after the other, each in a transaction of its own, until one has nothing to do. */
const repeat = async (client: pg.Client, steps: number, step: () => Promise<string | undefined>) => {
  const names: string[] = []
  while (names.length < steps) {
    const name = await inTransaction(client, step)
    if (name === undefined) break
    names.push(name)
  }
  return names
}

/** Applies what is missing, each migration in a transaction of its own; returns the names applied by this call. */
export const migrate = async (url: string, folder = MIGRATIONS): Promise<string[]> => {
  const migrations = await readMigrations(folder)

  return withClient(url, (client) =>
    repeat(client, migrations.length, async () => {
      const applied = await readApplied(client)
      refuseChanged(migrations, applied)
      const next = migrations.find(({ name }) => !applied.some((one) => one.name === name))
      if (!next) return undefined
      const row = [next.name, next.up.checksum]
      await execute(client, next.up)
      await client.query('insert into migrations.applied (name, checksum) values ($1, $2)', row)
      return next.name
    }),
  )
}

/** Undoes the latest migrations by their scripts in `down/`; returns their names. */
export const rollback = async (url: string, steps = 1, folder = MIGRATIONS): Promise<string[]> =>
  withClient(url, (client) =>
    repeat(client, steps, async () => {
      const last = (await readApplied(client)).at(-1)
      if (!last) return undefined
      await execute(client, await readDown(folder, last.name))
      await client.query('delete from migrations.applied where name = $1', [last.name])
      return last.name
    }),
  )

const main = async ([direction = '', steps = '1']: string[]) => {
  if (!['up', 'down'].includes(direction) || !/^[1-9]\d{0,3}$/.test(steps)) {
    throw new Error('Usage: node dev/migrate.ts up, or node dev/migrate.ts down [steps]')
  }
  const url = databaseUrl()
  if (!url) throw new Error('No database: set DATABASE_URL, or start `npm run dev` first.')
  const names = direction === 'up' ? await migrate(url) : await rollback(url, Number(steps))
  const done = direction === 'up' ? 'Applied' : 'Rolled back'
  console.log(names.length > 0 ? `${done}: ${names.join(', ')}` : 'Nothing to do.')
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    console.error(reasonOf(error))
    process.exitCode = 1
  }
}
