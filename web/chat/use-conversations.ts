import { useCallback, useEffect, useState } from 'preact/hooks'
import type { Client } from '../../src/client/rest.ts'
import type { User } from '../../src/client/session.ts'
import type { Conversation } from './api.ts'

/** Milliseconds between looks at the conversations that are not open. */
const interval = 15_000

const byActivity = (one: Conversation, other: Conversation) => other.activeAt.localeCompare(one.activeAt)

/** The user's conversations, or the shop's; the last active first. `undefined`: not loaded yet. */
export const useConversations = (client: Client, user: User) => {
  const [all, setAll] = useState<Conversation[]>()
  const [isStale, setStale] = useState(false)

  const load = useCallback(async () => {
    const scope = user.role === 'admin' ? 'all' : 'mine'
    try {
      const { data } = await client.get('/api/v1/conversations', { params: { query: { scope, limit: 100 } } })
      setAll(data.toSorted(byActivity))
      setStale(false)
    } catch {
      // The next look may succeed; what is shown stays.
      setStale(true)
    }
  }, [client, user])

  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void load()
    }
    look()
    const timer = setInterval(look, interval)
    document.addEventListener('visibilitychange', look)
    addEventListener('online', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
      removeEventListener('online', look)
    }
  }, [load])

  const patch = useCallback((id: string, changes: Partial<Conversation>) => {
    setAll((known) =>
      known?.map((one) => (one.id === id ? { ...one, ...changes } : one)).toSorted(byActivity),
    )
  }, [])

  return { all, isStale, load, patch }
}
