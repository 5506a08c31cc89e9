import { startEndpoint } from './neon/endpoint.ts'
import { openPglite } from './neon/pglite.ts'
import { openPostgres } from './neon/postgres.ts'

export type LocalDatabase = {
  kind: 'pglite' | 'postgres'
  /** For ordinary clients over TCP: pg, psql, drizzle-kit. */
  url: string
  /** Neon's HTTP protocol, for `neonConfig.fetchEndpoint`. */
  fetchEndpoint: string
  close(): Promise<void>
}

type Options = {
  databaseUrl?: string
  dataDir: string
  log?: (line: string) => void
  /** Told of each call over HTTP. */
  onCall?: () => void
}

/** The embedded database in `dataDir`, or the PostgreSQL server of `databaseUrl`, behind Neon's HTTP protocol. */
export const openDatabase = async (options: Options): Promise<LocalDatabase> => {
  const { databaseUrl, dataDir, log = () => undefined, onCall = () => undefined } = options
  const { url, engine } = databaseUrl
    ? await openPostgres({ url: databaseUrl, log })
    : await openPglite({ dataDir, log })
  const endpoint = await startEndpoint({ engine, log, onCall })

  return {
    kind: databaseUrl ? 'postgres' : 'pglite',
    url,
    fetchEndpoint: endpoint.url,
    close: async () => {
      await endpoint.close()
      await engine.close()
    },
  }
}
