/** The largest stock, and the largest change of it; PostgreSQL's integer is wider, so that a restock always fits. */
export const maxStock = 1_000_000

/** Reasons that the ledger's own entries have. */
export const systemReasons: readonly string[] = ['initial', 'order', 'cancellation']
