import type { Client } from '../../src/client/rest.ts'
import { ApiError } from '../../src/client/api-error.ts'

/** Names that are kept. */
const kept = 500

/** Requests at once: a list may show as many products as it has rows. */
const atOnce = 3

export type ProductNames = ReturnType<typeof createProductNames>

/** Names of products, each asked for once. `null`: there is no such product any more. */
export const createProductNames = (client: Client) => {
  const known = new Map<string, string | null>()
  const asked = new Map<string, Promise<string | null>>()
  const waiting: (() => void)[] = []
  let running = 0

  const turn = async (): Promise<void> => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
  }

  /** Whoever waits takes over the place. */
  const pass = () => {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }

  const fetchName = async (id: string): Promise<string | null> => {
    await turn()
    try {
      return (await client.get('/api/v1/products/{idOrSlug}', { params: { path: { idOrSlug: id } } })).data
        .name
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null
      throw error
    } finally {
      pass()
    }
  }

  const keep = (id: string, name: string | null) => {
    known.set(id, name)
    const [oldest] = known.keys()
    if (known.size > kept && oldest !== undefined) known.delete(oldest)
  }

  return {
    /** `undefined`: it was not asked for, or has not come. */
    known: (id: string): string | null | undefined => known.get(id),
    /** `null` also when it cannot be had now; the next one to ask tries again. */
    async of(id: string): Promise<string | null> {
      const name = known.get(id)
      if (name !== undefined) return name
      const pending = asked.get(id) ?? fetchName(id)
      asked.set(id, pending)
      try {
        const found = await pending
        keep(id, found)
        return found
      } catch {
        return null
      } finally {
        asked.delete(id)
      }
    },
  }
}
