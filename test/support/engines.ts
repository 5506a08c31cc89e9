import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neonConfig } from '@neondatabase/serverless'
import { afterAll, beforeAll, describe } from 'vitest'
import { openDatabase, type LocalDatabase } from '../../dev/database.ts'
import { skipOrFail, startPostgres } from './postgres.ts'

// The port comes from the connection string, so that several databases work side by side in one process.
neonConfig.fetchEndpoint = (host, port) => `http://${host}:${port}/sql`
neonConfig.disableWarningInBrowsers = true

/** For `neon()`: leads to the database's HTTP endpoint. */
export const neonUrl = ({ fetchEndpoint }: LocalDatabase) => {
  const { hostname, port } = new URL(fetchEndpoint)
  return `postgres://user:password@${hostname}:${port}/database`
}

export const temporaryFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'selvedge-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

type Opened = { database: LocalDatabase; close: () => Promise<void> }
type Cases = (database: () => LocalDatabase) => void

const openEmbedded = async (): Promise<Opened> => {
  const folder = await temporaryFolder()
  const database = await openDatabase({ dataDir: join(folder.path, 'database') })
  const close = async () => {
    await database.close()
    await folder.remove()
  }
  return { database, close }
}

const openServer = async (databaseUrl: string): Promise<Opened> => {
  const database = await openDatabase({ databaseUrl, dataDir: '' })
  return { database, close: database.close }
}

const describeOn = (name: string, open: () => Promise<Opened>, cases: Cases) =>
  describe(name, () => {
    let opened: Opened | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened?.close())
    cases(() => {
      if (!opened) throw new Error('the database is there only while tests run')
      return opened.database
    })
  })

export const onEmbedded = (title: string, cases: Cases) =>
  describeOn(`${title} (PGlite)`, openEmbedded, cases)

export const onServer = async (title: string, cases: Cases) => {
  const name = `${title} (PostgreSQL)`
  const postgres = await startPostgres()
  if ('unavailable' in postgres) return skipOrFail(name, postgres.unavailable)
  const open = async () => {
    const { database, close } = await openServer(postgres.url)
    const closeBoth = async () => {
      await close()
      await postgres.stop()
    }
    return { database, close: closeBoth }
  }
  describeOn(name, open, cases)
}

/** The same cases on both engines; await it at the top of a file. */
export const onBothEngines = async (title: string, cases: Cases) => {
  onEmbedded(title, cases)
  await onServer(title, cases)
}
