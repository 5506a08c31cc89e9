import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../dev/database.ts'
import { migrate } from '../../dev/migrate.ts'
import { seedIfEmpty } from '../../dev/seed.ts'

const variable = 'SELVEDGE_DATABASE_TEMPLATE'

/** For Vitest, once a run: where the template will be. */
export const setup = (): void => {
  process.env[variable] ??= mkdtempSync(join(tmpdir(), 'selvedge-template-'))
}

export const teardown = (): void => {
  const folder = process.env[variable]
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}

/**
 * The embedded database as the first start of `npm run dev` leaves it, made once a run and copied: to begin one takes as long
 * as everything else of a start. Outside a run of Vitest it does nothing.
 */
export const copyDatabase = async (into: string): Promise<void> => {
  const folder = process.env[variable]
  if (folder === undefined) return
  const template = join(folder, 'database')
  if (!existsSync(template)) {
    const draft = join(folder, 'draft')
    const database = await openDatabase({ dataDir: draft })
    await migrate(database.url)
    await seedIfEmpty(database.url)
    await database.close()
    renameSync(draft, template)
  }
  cpSync(template, into, { recursive: true })
}
