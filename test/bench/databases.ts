import { Client } from 'pg'
import { migrate } from '../../dev/migrate.ts'
import { startPostgres } from '../support/postgres.ts'
import { fillCatalogue } from './catalogue.ts'
import type { Servers } from './servers.ts'

const connect = async (url: string): Promise<Client> => {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined) // the server's end at the end
  await client.connect()
  return client
}

const start = async () => {
  const postgres = await startPostgres()
  if ('unavailable' in postgres) throw new Error(postgres.unavailable)
  return { ...postgres, admin: await connect(postgres.url) }
}

/** A PostgreSQL server of the bench's own, with a database for each size of the catalogue. */
export const createDatabases = (servers: Servers, log: (line: string) => void) => {
  let server: ReturnType<typeof start> | undefined
  const made = new Map<number, ReturnType<typeof make>>()
  let empties = 0

  const make = async (count: number) => {
    const { url: serverUrl, admin } = await (server ??= start())
    const name = `bench_${count}`
    await admin.query(`create database ${name}`)
    const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
    await migrate(url)
    const client = await connect(url)
    const began = performance.now()
    await fillCatalogue(client, count)
    log(`catalogue of ${count}: made in ${Math.round((performance.now() - began) / 1_000)} s`)
    return { count, url, client, endpoint: await servers.database(url) }
  }

  return {
    /** `count` products behind Neon's protocol; made once a run. */
    catalogue(count: number): ReturnType<typeof make> {
      const catalogue = made.get(count) ?? make(count)
      made.set(count, catalogue)
      return catalogue
    },

    /** A database of its own without tables; each call makes another. */
    async empty(): Promise<{ url: string }> {
      const { url, admin } = await (server ??= start())
      const name = `bench_empty_${++empties}`
      await admin.query(`create database ${name}`)
      return { url: Object.assign(new URL(url), { pathname: `/${name}` }).href }
    },

    async settings(): Promise<{ version: string; buffers: string }> {
      const { admin } = await (server ??= start())
      const { rows } = await admin.query<{ version: string; buffers: string }>(
        `select current_setting('server_version') as version, current_setting('shared_buffers') as buffers`,
      )
      return rows[0] ?? { version: '', buffers: '' }
    },

    async close(): Promise<void> {
      for (const catalogue of await Promise.allSettled(made.values()))
        if (catalogue.status === 'fulfilled') await catalogue.value.client.end()
      const started = await server?.catch(() => undefined)
      await started?.admin.end()
      await started?.stop()
    },
  }
}

export type Databases = ReturnType<typeof createDatabases>
export type Catalogue = Awaited<ReturnType<Databases['catalogue']>>
