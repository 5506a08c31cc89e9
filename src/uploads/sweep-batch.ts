/** Rows that the sweep takes at a time. */
export const sweepBatch = 200
