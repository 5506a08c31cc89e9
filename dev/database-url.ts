import { readFileSync } from 'node:fs'
import { join } from 'node:path'

type State = { databaseUrl?: unknown }

/** DATABASE_URL, else the database of the running `npm run dev` (its dev.json), else undefined. */
export const databaseUrl = (env: NodeJS.ProcessEnv = process.env): string | undefined => {
  if (env.DATABASE_URL) return env.DATABASE_URL
  try {
    const state: State = JSON.parse(readFileSync(join(env.STATE_DIR || '.local', 'dev.json'), 'utf8'))
    return typeof state.databaseUrl === 'string' ? state.databaseUrl : undefined
  } catch {
    return undefined
  }
}
