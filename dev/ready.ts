import { setTimeout as sleep } from 'node:timers/promises'

/** Asks until the answer is 200; throws one sentence with the last answer when that takes too long. */
export async function untilReady(url: string, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  let last = ''
  do {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) })
      const body = await answer.text()
      if (answer.status === 200) return
      last = `answered ${answer.status} ${body.slice(0, 500)}`
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await sleep(200)
  } while (performance.now() < deadline)
  throw new Error(`${url} was not ready within ${Math.round(withinMs / 1_000)} s: ${last}`)
}
