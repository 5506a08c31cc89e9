import pg from 'pg'
import { createApi, inParallel } from '../support/api.ts'
import { startStack } from '../support/stack.ts'

export type OpenWorld = Awaited<ReturnType<typeof openWorld>>

/** Calls to the database may wait long: a busy machine must not decide who wins a race. */
const patient = { DATABASE_TIMEOUT_MS: '60000' }

/** A stack on a real database, its seeded customers logged in. */
export const openWorld = async (databaseUrl: string, cwd: string, env: Record<string, string> = {}) => {
  const stack = await startStack({
    cwd,
    env: { DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', ...patient, ...env },
  })
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  const api = createApi(stack.api)
  const password = 'Selvedge-Dev-1!'
  const { rows } = await database.query(
    "select email from users where role = 'user' order by id offset 2 limit 8",
  )
  const customers = await inParallel(2, rows, ({ email }) => api.login({ email, password }))
  const admin = await api.login({ email: 'admin@selvedge.test', password })
  return {
    ...{ stack, api, database, databaseUrl, admin, customers },
    async close() {
      await database.end()
      await stack.stop()
    },
  }
}

export const createDatabase = async (url: string, name: string): Promise<string> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}
