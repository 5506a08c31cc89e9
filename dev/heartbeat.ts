/** In every log line that a heartbeat causes in the Worker, so that these lines can be left out. */
export const heartbeatId = 'dev-heartbeat'

type HeartbeatOptions = {
  url: string
  signal: AbortSignal
  onSilent: () => void
  everyMs?: number
  /** So many looks in a row without a sign of life are silence: five seconds of it. */
  patience?: number
}

/**
 * Asks for `url` every second; any answer, or a call of the returned function, is a sign of life. Looks are counted
 * instead of milliseconds: a machine that slept, or a supervisor that was stopped, has not been listening.
 */
export function startHeartbeat({
  url,
  signal,
  onSilent,
  everyMs = 1_000,
  patience = 5,
}: HeartbeatOptions): () => void {
  let unanswered = 0
  const sign = () => {
    unanswered = 0
  }
  const timer = setInterval(() => {
    if (unanswered++ < patience) {
      void isAnswering(url, everyMs * patience).then((answers) => answers && sign())
    } else {
      clearInterval(timer)
      onSilent()
    }
  }, everyMs)
  signal.addEventListener('abort', () => clearInterval(timer))
  return sign
}

/** Whether there is any answer at all: a Worker that answers 500 is alive. */
export async function isAnswering(url: string, withinMs: number): Promise<boolean> {
  try {
    const headers = { 'X-Request-Id': heartbeatId, Connection: 'close' }
    const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(withinMs) })
    await answer.body?.cancel()
    return true
  } catch {
    return false
  }
}
