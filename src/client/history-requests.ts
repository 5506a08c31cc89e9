type Request = { key: string; limit: number; askedAt?: number }

/** Milliseconds until an unanswered one is sent again. */
const patience = 10_000

/** Pages of the history that were asked for. One is under way at a time: where it ends the next begins. */
export const createHistoryRequests = () => {
  let requests: Request[] = []

  return {
    isEmpty: (): boolean => requests.length === 0,
    add(key: string, limit: number): void {
      requests.push({ key, limit })
    },
    isAsked: (): boolean => requests[0]?.askedAt !== undefined,
    /** The first is answered. */
    take: (): Request | undefined => requests.shift(),
    /** The one that is to be sent now. */
    next(now: number): Request | undefined {
      const [first] = requests
      if (first === undefined || now < (first.askedAt ?? -Infinity) + patience) return undefined
      first.askedAt = now
      return first
    },
    dueAt: (): number | undefined =>
      requests[0]?.askedAt === undefined ? undefined : requests[0].askedAt + patience,
    disconnect(): void {
      requests = requests.map(({ key, limit }) => ({ key, limit }))
    },
    clear: (): Request[] => requests.splice(0),
  }
}
