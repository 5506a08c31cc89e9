import { createBoundedMap } from '../shared/bounded-map.ts'
import type { Store } from './store-port.ts'
import { createWindows, type Windows } from './window.ts'

const maxKeys = 10_000

/**
 * The same windows in the memory of this isolate, for while the real store is away: each isolate counts for itself, and
 * the key that was asked longest ago is forgotten when there are too many.
 */
export const createLocalStore = (now = Date.now): Store => {
  const keys = createBoundedMap<string, Windows>(maxKeys)
  return {
    take(key, limits) {
      const windows = keys.get(key) ?? createWindows()
      keys.set(key, windows)
      return Promise.resolve(windows.take(limits, now()).taken)
    },
    giveBack(key, { at, verdicts }) {
      const policies = verdicts.map(({ name }) => name)
      keys.get(key)?.giveBack(policies, at)
      return Promise.resolve()
    },
  }
}
