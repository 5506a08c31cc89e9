import { createBreaker, type Breaker } from '../shared/breaker.ts'
import { describeError } from '../shared/describe-error.ts'
import { within } from '../shared/within.ts'
import { createDenials } from './denials.ts'
import { createLocalStore } from './local.ts'
import type { Limit, Store, Taken, Verdict } from './store-port.ts'

/** Milliseconds that a store has for its answer. */
export const patience = 250

export type StoreName = 'objects' | 'upstash'

export type Check = Limit & {
  key: string
  store: StoreName
  /** When the store is away: `open` lets through without counting, `local` counts in this isolate. */
  failMode: 'open' | 'local'
}

/** What an isolate keeps of its limits: plain data, no promise and no I/O. */
export const createLimitMemory = () => {
  const breaker = () => createBreaker({ failures: 3, rest: 5_000 })
  const breakers: Record<StoreName, Breaker> = { objects: breaker(), upstash: breaker() }
  return { denials: createDenials(), local: createLocalStore(), breakers }
}

type Log = (message: string, fields: Record<string, unknown>) => void

type Deps = {
  stores: Partial<Record<StoreName, Store>>
  memory: ReturnType<typeof createLimitMemory>
  log: { info: Log; error: Log }
}

/** What one store is asked about one key. */
type Question = { key: string; store: StoreName; checks: Check[] }

type Answer = { verdicts: Verdict[]; giveBack: () => Promise<void> }

const questionsOf = (checks: readonly Check[]): Question[] =>
  [...Map.groupBy(checks, ({ store, key }) => `${store} ${key}`).values()].flatMap((of) => {
    const [first] = of
    return first === undefined ? [] : [{ key: first.key, store: first.store, checks: of }]
  })

const limitsOf = (checks: readonly Check[]): Limit[] =>
  checks.map(({ name, points, windowMs }) => ({ name, points, windowMs }))

const nothing: Answer = { verdicts: [], giveBack: () => Promise.resolve() }

export const createLimitService = ({ stores, memory: { denials, local, breakers }, log }: Deps) => {
  /** Undefined when the store is away or too slow. */
  const guarded = async <T>(name: StoreName, call: (store: Store) => Promise<T>): Promise<T | undefined> => {
    const store = stores[name]
    if (store === undefined || !breakers[name].allows(Date.now())) return undefined
    try {
      const answer = await within(patience, call(store))
      if (breakers[name].succeeded()) log.info('store of limits is back', { store: name })
      return answer
    } catch (error) {
      if (breakers[name].failed(Date.now())) {
        log.error('store of limits is away', { store: name, error: describeError(error) })
      }
      return undefined
    }
  }

  const answerOf = (taken: Taken, giveBack: () => Promise<unknown>): Answer => ({
    verdicts: taken.verdicts,
    giveBack: async () => {
      if (taken.admitted) await giveBack()
    },
  })

  const askLocally = async (key: string, checks: readonly Check[]): Promise<Answer> => {
    const counted = checks.filter(({ failMode }) => failMode === 'local')
    if (counted.length === 0) return nothing
    const taken = await local.take(key, limitsOf(counted))
    return answerOf(taken, () => local.giveBack(key, taken))
  }

  const ask = async ({ key, store, checks }: Question): Promise<Answer> => {
    const taken = await guarded(store, (one) => one.take(key, limitsOf(checks)))
    if (taken === undefined) return await askLocally(key, checks)
    return answerOf(taken, () => guarded(store, (one) => one.giveBack(key, taken)))
  }

  return {
    /**
     * Takes a point of every policy, or of none. One call a key and store, all at once. A verdict with `retryMs` above 0
     * is a denial; a policy whose store is away and that fails open has no verdict. Never throws.
     */
    async take(checks: readonly Check[]): Promise<Verdict[]> {
      const asked = Date.now()
      const recalled = checks.flatMap(({ key, name }) => denials.recall(key, name, asked) ?? [])
      if (recalled.length > 0) return recalled
      const answers = await Promise.all(
        questionsOf(checks).map(async (question) => ({ ...question, ...(await ask(question)) })),
      )
      const verdicts = answers.flatMap((one) => one.verdicts)
      if (verdicts.every(({ retryMs }) => retryMs === 0)) return verdicts
      const moments = { asked, answered: Date.now() }
      for (const { key, verdicts: of } of answers) {
        for (const verdict of of) if (verdict.retryMs > 0) denials.remember(key, verdict, moments)
      }
      await Promise.all(answers.map((one) => one.giveBack()))
      return verdicts
    },
  }
}

export type LimitService = ReturnType<typeof createLimitService>
