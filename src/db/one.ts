/** The row that INSERT … RETURNING always gives; its absence is a fault of ours. */
export const one = <T>(row: T | undefined): T => {
  if (row === undefined) throw new Error('The database returned no row')
  return row
}
