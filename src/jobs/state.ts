/**
 * pending: waits for its time, its turn or its next attempt · running: a consumer holds its lease · done · dead: failed
 * three times, or once for good, and waits for a person · discarded: a person gave it up.
 */
export const jobStates = ['pending', 'running', 'dead', 'done', 'discarded'] as const
export type JobState = (typeof jobStates)[number]

/** What a queue is to bring; at once without a delay. */
export type Delivery = { id: string; delaySeconds?: number }
