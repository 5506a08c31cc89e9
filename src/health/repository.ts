import type { Database } from '../db/client.ts'

/** Milliseconds a probe waits. */
const patience = 2_000

export const createHealthRepository = ({ ping }: Database) => ({
  pingDatabase: () => ping(patience),
})

export type HealthRepository = ReturnType<typeof createHealthRepository>
