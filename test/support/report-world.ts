import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { migrate } from '../../dev/migrate.ts'
import { openDatabase } from '../../dev/database.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createReportBuilder } from '../../src/reports/builder.ts'
import { createFonts } from '../../src/reports/fonts.ts'
import { createReportRepository } from '../../src/reports/repository.ts'
import { createReportStore } from '../../src/reports/store.ts'
import { newId } from '../../src/shared/ids.ts'
import { createLogger } from '../../src/shared/logger.ts'
import { newMeter } from '../../src/shared/meter.ts'
import { neonUrl, temporaryFolder } from './engines.ts'
import { projectRoot } from './stack.ts'

type Bucket = Parameters<typeof createReportStore>[0]

/** Keeps whole objects; parts of an upload only while `keepsParts`, else their bytes are counted and dropped. */
const memoryBucket = (keepsParts: boolean, onPart: () => void) => {
  const objects = new Map<string, Uint8Array>()
  const bucket: Bucket = {
    createMultipartUpload: async (key) => {
      const parts: Uint8Array[] = []
      let size = 0
      return await Promise.resolve({
        uploadPart: async (partNumber, bytes) => {
          if (keepsParts) parts.push(bytes.slice())
          size += bytes.length
          onPart()
          return await Promise.resolve({ partNumber, etag: String(partNumber) })
        },
        complete: async () => {
          objects.set(key, Buffer.concat(parts))
          return await Promise.resolve({ size, etag: 'list' })
        },
        abort: () => Promise.resolve(),
      })
    },
    put: async (key, bytes) => {
      objects.set(key, bytes)
      return await Promise.resolve({ size: bytes.length, etag: 'document' })
    },
    get: () => Promise.resolve(null),
    delete: async (keys) => {
      for (const key of keys) objects.delete(key)
      await Promise.resolve()
    },
  }
  const one = (format: string): Uint8Array => {
    const found = [...objects].flatMap(([key, bytes]) => (key.endsWith(format) ? [bytes] : [])).at(-1)
    if (found === undefined) throw new Error(`There is no ${format}`)
    return found
  }
  return { bucket, one }
}

/** The report builder in Node, over an embedded database with the migrations applied. */
export const openReportWorld = async ({ keepsParts = true, onPart = () => {} } = {}) => {
  execFileSync(process.execPath, ['dev/assets.mjs'], { cwd: projectRoot })
  const folder = await temporaryFolder()
  const local = await openDatabase({ dataDir: join(folder.path, 'database') })
  await migrate(local.url)
  const client = new pg.Client({ connectionString: local.url })
  await client.connect()

  const meter = newMeter()
  const settings = { databaseUrl: neonUrl(local), fetchEndpoint: undefined, timeoutMs: 30_000 }
  const log = createLogger({ level: 'error', pretty: true })
  const { bucket, one } = memoryBucket(keepsParts, onPart)
  const fonts = createFonts({
    fetch: async (url) => new Response(await readFile(join(projectRoot, 'public', new URL(url).pathname))),
  })
  const parts = {
    reports: createReportRepository(createDatabase(settings, { log, meter })),
    store: createReportStore(bucket),
    ...{ fonts, newId, dispatcher: { send: () => undefined } },
  }

  return {
    ...{ meter, client, folder: folder.path, url: local.url },
    /** The one that was made last. */
    file: one,
    /** Makes the report of these days as a job does. */
    async build(from: string, to = from, pageSize?: number): Promise<string> {
      const [id, jobId] = [newId(), newId()]
      await client.query(
        'insert into reports (id, first_day, last_day, current, job_id) values ($1, $2, $3, false, $4)',
        [id, from, to, jobId],
      )
      const { build } = createReportBuilder({ ...parts, ...(pageSize !== undefined && { pageSize }) })
      const { signal } = new AbortController()
      await build({ reportId: id }, { id: jobId, requestId: 'test', traceparent: undefined, signal })
      return id
    },
    async close(): Promise<void> {
      await client.end()
      await local.close()
      await folder.remove()
    },
  }
}
