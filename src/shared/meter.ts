/** What a request spent at the database: HTTP calls, and milliseconds in them. */
export type Meter = { calls: number; milliseconds: number }

export const newMeter = (): Meter => ({ calls: 0, milliseconds: 0 })
