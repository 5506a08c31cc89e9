/** Whether requests may pass, and to which port; while it is held, they wait, up to `maxWaiting` of them. */
export function createGate({ maxWaiting = 1_000 } = {}) {
  let port: number | undefined
  let closed = false
  const waiting = new Set<(port: number | undefined) => void>()
  const settle = (answer: number | undefined) => waiting.forEach((resolve) => resolve(answer))

  /** The port, as soon as there is one; undefined when it takes too long, the caller leaves, or the gate closes. */
  function pass(waitMs: number, gone: AbortSignal): Promise<number | undefined> {
    if (port !== undefined) return Promise.resolve(port)
    if (closed || gone.aborted || waitMs <= 0 || waiting.size >= maxWaiting) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const leave = () => done(undefined)
      const timer = setTimeout(leave, waitMs)
      function done(answer: number | undefined) {
        clearTimeout(timer)
        gone.removeEventListener('abort', leave)
        waiting.delete(done)
        resolve(answer)
      }
      gone.addEventListener('abort', leave)
      waiting.add(done)
    })
  }

  return {
    pass,
    open(to: number) {
      port = to
      settle(to)
    },
    hold() {
      port = undefined
    },
    /** Nothing will open it any more: whoever waits is told so. A port already open stays open. */
    close() {
      closed = true
      settle(undefined)
    },
  }
}
