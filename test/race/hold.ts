import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenWorld } from './world.ts'

type Hold = {
  /** Takes the lock that the calls are to stand behind. */
  lock: [text: string, ...parameters: unknown[]]
  /** How many calls must stand there before they go on; the others come while those go. */
  waiting?: number
  /** What happens before they go on; `holder` has the lock. */
  meanwhile?: (holder: pg.Client) => Promise<unknown>
  /** How the holder ends. */
  end?: 'commit' | 'rollback'
}

/**
 * Long: who has a password to hash first does so one after the other, and only then do they come to the lock. A call that
 * waits there for as long as `openWorld` lets it fails the test by itself.
 */
const patienceMs = 150_000

const tellWaiting = async (database: pg.Client): Promise<number> => {
  const { rows } = await database.query(
    "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
  )
  return rows[0].n
}

/**
 * Starts calls while somebody holds a lock, and lets them go on at once when enough of them stand behind it: whatever they
 * looked at before is then old, on a fast machine as on a slow one.
 */
export const behind = async <T>(
  { database, databaseUrl }: Pick<OpenWorld, 'database' | 'databaseUrl'>,
  { lock: [text, ...parameters], waiting = 1, meanwhile, end = 'commit' }: Hold,
  start: () => Promise<T>,
): Promise<T> => {
  const holder = new pg.Client({ connectionString: databaseUrl })
  await holder.connect()
  try {
    await holder.query('begin')
    await holder.query(text, parameters)
    const started = start()
    const deadline = performance.now() + patienceMs
    while ((await tellWaiting(database)) < waiting) {
      if (performance.now() > deadline) throw new Error(`Fewer than ${waiting} calls wait for: ${text}`)
      await sleep(25)
    }
    await meanwhile?.(holder)
    await holder.query(end)
    return await started
  } finally {
    await holder.end()
  }
}
