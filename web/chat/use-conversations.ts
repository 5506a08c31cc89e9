import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Client } from '../../src/client/rest.ts'
import type { User } from '../../src/client/session.ts'
import type { Conversation } from './api.ts'
import type { Live } from './live.ts'

/** Milliseconds between looks, whatever was heard; an administrator hears nothing of conversations without them. */
const slow = 60_000
const ofShop = 30_000
/** The same while nothing can be heard. */
const deaf = 15_000
/** What happens within it is one look. */
const soon = 250

const byActivity = (one: Conversation, other: Conversation) => other.activeAt.localeCompare(one.activeAt)

type Unread = { conversationId: string; unread: number }

/** The user's conversations, or the shop's; the last active first. `undefined`: not loaded yet. */
export const useConversations = (client: Client, live: Live, user: User, selected: string | undefined) => {
  const [all, setAll] = useState<Conversation[]>()
  const [isStale, setStale] = useState(false)
  const open = useRef(selected)
  open.current = selected

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

  const patch = useCallback((id: string, changes: Partial<Conversation>) => {
    setAll((known) =>
      known?.map((one) => (one.id === id ? { ...one, ...changes } : one)).toSorted(byActivity),
    )
  }, [])

  useEffect(() => {
    let lookedAt = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const isVisible = () => document.visibilityState === 'visible'
    const look = () => {
      clearTimeout(timer)
      timer = undefined
      lookedAt = Date.now()
      void load()
    }
    const lookSoon = () => void (timer ??= setTimeout(look, soon))
    const lookIfVisible = () => {
      if (isVisible()) lookSoon()
    }
    const fallback = setInterval(() => {
      const every = !live.isOpen ? deaf : user.role === 'admin' ? ofShop : slow
      if (isVisible() && Date.now() - lookedAt >= every - 1_000) look()
    }, deaf)
    const stop = live.on(({ name, data }) => {
      if (name === 'ready' || name === 'resync') return lookSoon()
      if (name !== 'unread') return
      const { conversationId, unread } = data as Unread
      // What comes where one is looking is read in a moment.
      if (conversationId !== open.current || !document.hasFocus()) patch(conversationId, { unread })
      lookSoon()
    })
    look()
    document.addEventListener('visibilitychange', lookIfVisible)
    addEventListener('online', lookIfVisible)
    return () => {
      stop()
      clearInterval(fallback)
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', lookIfVisible)
      removeEventListener('online', lookIfVisible)
    }
  }, [load, live, patch, user])

  return { all, isStale, load, patch }
}
