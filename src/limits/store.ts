import { says } from '../shared/object-error.ts'
import type { Limit, Store, Taken } from './store-port.ts'

/** The binding to SlidingWindow, as far as it is used here. */
type Windows = {
  getByName: (name: string) => {
    take: (request: { limits: Limit[] }) => Promise<Taken>
    giveBack: (request: { policies: string[]; at: number }) => Promise<void>
  }
}

/** Milliseconds for which a key whose object cannot keep up is refused. */
const relief = 1_000

/** More calls than one object can serve are more than any limit admits. */
const refuseAll = (limits: Limit[]): Taken => {
  const at = Date.now()
  const verdicts = limits.map((limit) => ({ ...limit, retryMs: relief, remaining: 0, resetAt: at + relief }))
  return { admitted: false, at, verdicts }
}

/** Each key is a Durable Object of that name; all limits of a key are one call. */
export const createObjectStore = (windows: Windows): Store => {
  const ask = async (key: string, limits: Limit[]): Promise<Taken> =>
    await windows.getByName(key).take({ limits })

  return {
    async take(key, limits) {
      try {
        return await ask(key, limits)
      } catch (error) {
        if (says(error, 'overloaded')) return refuseAll(limits)
        // The object has moved or was restarted by a deploy. Should it have counted already, it counts twice.
        if (says(error, 'retryable')) return await ask(key, limits)
        throw error
      }
    },

    async giveBack(key, { at, verdicts }) {
      await windows.getByName(key).giveBack({ policies: verdicts.map(({ name }) => name), at })
    },
  }
}
