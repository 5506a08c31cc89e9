/** Milliseconds. */
const interval = 25_000
const pongPatience = 8_000
const probePatience = 3_000

/** Is the connection still there? The room takes for gone who sends no `ping`, whatever else is said. */
export const createHeartbeat = () => {
  /** Of the last `ping`, or of the opening. */
  let askedAt = 0
  let isWaiting = false
  let patience = pongPatience

  const ask = (now: number, wait: number): 'ping' => {
    askedAt = now
    isWaiting = true
    patience = wait
    return 'ping'
  }

  const dueAt = (): number => askedAt + (isWaiting ? patience : interval)

  return {
    begin(now: number): void {
      askedAt = now
      isWaiting = false
    },
    /** Whatever it was. */
    hear(): void {
      isWaiting = false
    },
    /** There is reason to doubt it. What is under way already is waited for less long. */
    probe(now: number): 'ping' | undefined {
      if (!isWaiting) return ask(now, probePatience)
      patience = probePatience
      return undefined
    },
    dueAt,
    /** What is to be done now: `lost` when no answer has come in time. */
    beat(now: number): 'ping' | 'lost' | undefined {
      if (now < dueAt()) return undefined
      return isWaiting ? 'lost' : ask(now, pongPatience)
    },
  }
}
