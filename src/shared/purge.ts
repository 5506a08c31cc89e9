/** Rows that one statement deletes, so that it never holds locks for long. */
export const purgeBatch = 10_000

/** More than this in one run is left for the next. */
const maxRounds = 100

/** Deletes batch after batch until one is not full. Answers how many rows are gone. */
export const purgeAll = async (purge: () => Promise<number>): Promise<number> => {
  let purged = 0
  for (let round = 0; round < maxRounds; round++) {
    const deleted = await purge()
    purged += deleted
    if (deleted < purgeBatch) break
  }
  return purged
}
