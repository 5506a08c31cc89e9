import { createBoundedMap } from '../shared/bounded-map.ts'
import type { Verdict } from './store-port.ts'

/** Keys that are remembered; beyond that the oldest is asked about again. */
const maxKeys = 10_000

/**
 * Denials of this isolate, each until the moment it named: a flood costs no calls. Never an admission: only the store
 * can tell whether there is a point left.
 */
export const createDenials = () => {
  const denials = createBoundedMap<string, { earliest: number; latest: number; verdict: Verdict }>(maxKeys)
  const nameOf = (key: string, policy: string) => `${policy} ${key}`

  return {
    /**
     * The store decided at a moment between `asked` and `answered`. The denial is forgotten when it may be over, and
     * until then tells a wait after which it surely is.
     */
    remember(key: string, verdict: Verdict, { asked, answered }: { asked: number; answered: number }): void {
      const [earliest, latest] = [asked + verdict.retryMs, answered + verdict.retryMs]
      denials.set(nameOf(key, verdict.name), { earliest, latest, verdict })
    },

    recall(key: string, policy: string, now: number): Verdict | undefined {
      const found = denials.get(nameOf(key, policy))
      if (found === undefined) return undefined
      if (now < found.earliest) return { ...found.verdict, retryMs: found.latest - now }
      denials.delete(nameOf(key, policy))
      return undefined
    },
  }
}
