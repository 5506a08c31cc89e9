import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'

export const MIGRATIONS = join(import.meta.dirname, '..', 'migrations')

const BREAKPOINT = '--> statement-breakpoint'

// drizzle-kit's; the other fields are its own business
const Journal = z.object({ entries: z.array(z.object({ tag: z.string() })) })

export type Script = { path: string; statements: string[]; checksum: string }
export type Migration = { name: string; up: Script }

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const readScript = async (file: string): Promise<Script> => {
  const path = relative(process.cwd(), file)
  // The checksum is of the text: a checkout on Windows has other line ends.
  const text = (
    await readFile(file, 'utf8').catch((error: unknown) => {
      throw new Error(`Cannot read migration ${path}: ${reasonOf(error)}`, { cause: error })
    })
  ).replaceAll('\r\n', '\n')
  const statements = text.split(BREAKPOINT).filter((statement) => statement.trim() !== '')
  return { path, statements, checksum: createHash('sha256').update(text).digest('hex') }
}

const readJournal = async (file: string) => {
  try {
    return Journal.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw new Error(
      `Cannot read the list of migrations ${relative(process.cwd(), file)}: ${reasonOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** All migrations of drizzle-kit's journal, in its order. */
export const readMigrations = async (folder: string): Promise<Migration[]> => {
  const { entries } = await readJournal(join(folder, 'meta', '_journal.json'))
  return Promise.all(
    entries.map(async ({ tag }) => ({ name: tag, up: await readScript(join(folder, `${tag}.sql`)) })),
  )
}

export const readDown = (folder: string, name: string) => readScript(join(folder, 'down', `${name}.sql`))
