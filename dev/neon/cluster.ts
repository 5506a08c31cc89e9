import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'

const modules = resolve(import.meta.dirname, '../../node_modules')
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(modules, '@electric-sql/pglite/package.json'), 'utf8')))

const isEmpty = async (folder: string): Promise<boolean> =>
  (await readdir(folder).catch(() => [])).length === 0

/** All of it or nothing: who dies in between leaves no half of a folder. Whoever comes second finds what the first has made. */
const makeWhole = async (folder: string, fill: (draft: string) => Promise<void>): Promise<void> => {
  const draft = await mkdtemp(`${folder}-`)
  try {
    await fill(draft)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (await isEmpty(folder)) throw error
  }
}

/**
 * Puts a new database cluster into a folder that is empty or not there. To make one takes most of a first start, and it is
 * always the same: it is made once for each version of PGlite, kept in node_modules/.cache, and copied.
 */
export const placeCluster = async (
  dataDir: string,
  make: (dataDir: string) => Promise<void>,
  cache = join(modules, '.cache/selvedge'),
): Promise<void> => {
  if (!(await isEmpty(dataDir))) return
  const kept = join(cache, `pglite-${version}`)
  await mkdir(cache, { recursive: true })
  if (await isEmpty(kept)) await makeWhole(kept, make)
  await mkdir(dataDir, { recursive: true })
  await makeWhole(dataDir, async (draft) => await cp(kept, draft, { recursive: true }))
}
