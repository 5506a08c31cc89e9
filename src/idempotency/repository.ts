import type { Database } from '../db/client.ts'
import { purgeAll } from '../shared/purge.ts'
import { purgeKeys } from './statements.ts'

export const createIdempotencyRepository = ({ write }: Database) => ({
  /** How many expired keys were deleted. */
  purgeExpired: (): Promise<number> =>
    purgeAll(async () => {
      const [{ rowCount }] = await write([purgeKeys()])
      return rowCount
    }),
})
