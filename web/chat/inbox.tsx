import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Client } from '../../src/client/rest.ts'
import type { User } from '../../src/client/session.ts'
import { openChat } from './api.ts'
import { ConversationList } from './conversation-list.tsx'
import { ConversationPane } from './conversation-pane.tsx'
import { createFiles } from './files.ts'
import { Leave, Mark, Plus } from './icons.tsx'
import { openLive } from './live.ts'
import { createProductNames } from './product-names.ts'
import { createTrays } from './tray.ts'
import { useConversations } from './use-conversations.ts'

type Props = { client: Client; user: User; onSignedOut: () => void }

const readHash = (): string | undefined => /^#([0-9a-f-]{36})$/.exec(location.hash)?.[1]

/** Which conversation is open is in the address: the browser's own way back works, on a phone above all. */
const useSelected = () => {
  const [selected, setSelected] = useState(readHash)
  useEffect(() => {
    const follow = () => setSelected(readHash())
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return selected
}

const open = (id: string) => {
  location.hash = id
}

const closePane = () => {
  history.pushState(null, '', location.pathname)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

/** What lives as long as somebody is signed in. */
const openAll = (client: Client) => {
  const [chat, live, files] = [openChat(client), openLive(client), createFiles(client)]
  const close = () => {
    chat.close()
    live.close()
    files.close()
  }
  return { chat, live, files, products: createProductNames(client), trayOf: createTrays(client, live), close }
}

export const Inbox = ({ client, user, onSignedOut }: Props) => {
  const { chat, live, files, products, trayOf, close } = useMemo(() => openAll(client), [client])
  useEffect(() => close, [close])
  const selected = useSelected()
  const { all, isStale, load, patch } = useConversations(client, live, user, selected)
  const [problem, setProblem] = useState<string>()
  const list = useRef<HTMLElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const last = useRef<string | undefined>(undefined)
  /** The one that the user has just left for good. */
  const [left, setLeft] = useState<string>()

  const unread = all?.reduce((sum, one) => sum + (one.unread ?? 0), 0) ?? 0
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}Messages · Selvedge`
  }, [unread])

  // Whoever comes back from a conversation goes on where they were in the list.
  useEffect(() => {
    if (selected === undefined && last.current !== undefined) {
      const row = list.current?.querySelector<HTMLElement>(`[href="#${last.current}"]`)
      // Its row may go in a moment.
      const place = row && left !== last.current ? row : heading.current
      place?.focus()
    }
    last.current = selected
    if (selected !== undefined) setLeft(undefined)
  }, [selected])

  const signOut = () => {
    close()
    // Here it ends in any case; there by itself, when nobody can be reached.
    client.session.logout().catch(() => undefined)
    history.replaceState(null, '', location.pathname)
    onSignedOut()
  }

  const askSupport = async () => {
    setProblem(undefined)
    try {
      const { data } = await client.post('/api/v1/conversations', { body: { subject: { type: 'support' } } })
      await load()
      open(data.id)
    } catch {
      setProblem('A conversation could not be opened. Please try again.')
    }
  }

  return (
    <div class={`shell ${selected === undefined ? '' : 'has-pane'}`}>
      <aside class="side" aria-label="Conversations">
        <header class="side-head">
          <Mark />
          <h1 ref={heading} tabIndex={-1}>
            Messages
          </h1>
          {user.role !== 'admin' && (
            <button
              class="round"
              onClick={() => void askSupport()}
              aria-label="Write to support"
              title="Write to support"
            >
              <Plus />
            </button>
          )}
        </header>
        <p class="side-problem" role="alert">
          {problem ?? (isStale && all === undefined ? 'Your conversations cannot be loaded.' : undefined)}
        </p>
        <p class="hidden" role="status">
          {left !== undefined && 'You have left the conversation.'}
        </p>
        <nav ref={list} aria-label="Conversations">
          <ConversationList
            all={all}
            selected={selected}
            user={user}
            products={products}
            onAsk={() => void askSupport()}
          />
        </nav>
        <footer class="side-foot">
          <span class="avatar" aria-hidden="true">
            {user.name.slice(0, 1).toUpperCase()}
          </span>
          <span class="account">
            <strong>{user.name}</strong>
            <span>{user.email}</span>
          </span>
          <button class="round" onClick={signOut} aria-label="Sign out" title="Sign out">
            <Leave />
          </button>
        </footer>
      </aside>
      {selected === undefined ? (
        <main class="empty" aria-label="Conversation">
          <Mark />
          <p>Choose a conversation, and it opens here.</p>
        </main>
      ) : (
        <ConversationPane
          key={selected}
          {...{ chat, client, files, products, trayOf, user, patch }}
          id={selected}
          onBack={closePane}
          onChanged={() => void load()}
          onLeft={() => {
            setLeft(selected)
            // Another may have been opened meanwhile.
            if (readHash() === selected) closePane()
            void load()
          }}
        />
      )}
    </div>
  )
}
