import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Chat } from '../../src/client/chat.ts'
import type { Client } from '../../src/client/rest.ts'
import type { User } from '../../src/client/session.ts'
import { ApiError } from '../../src/client/api-error.ts'
import { questionOf, type Act } from './acts.ts'
import type { Conversation, ConversationDetail } from './api.ts'
import { ConversationMenu } from './conversation-menu.tsx'
import type { Files } from './files.ts'
import { ConversationHead, PaneHead } from './pane-head.tsx'
import type { ProductNames } from './product-names.ts'
import { Talk } from './talk.tsx'
import type { Tray } from './tray.ts'

type Props = {
  chat: Chat
  client: Client
  files: Files
  products: ProductNames
  trayOf: (conversationId: string) => Tray
  user: User
  id: string
  patch: (id: string, changes: Partial<Conversation>) => void
  onBack: () => void
  onChanged: () => void
  onLeft: () => void
}

/** Who takes part, and whether that is one of us. `null`: there is no such conversation. */
const useDetail = (client: Client, id: string) => {
  const [detail, setDetail] = useState<ConversationDetail | null>()
  const [isAway, setAway] = useState(false)
  const load = useCallback(async () => {
    setAway(false)
    try {
      setDetail((await client.get('/api/v1/conversations/{id}', { params: { path: { id } } })).data)
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) setDetail(null)
      else setAway(true)
    }
  }, [client, id])
  useEffect(() => void load(), [load])
  return { detail, setDetail, isAway, load }
}

export const ConversationPane = ({
  chat,
  client,
  files,
  products,
  trayOf,
  user,
  id,
  patch,
  onBack,
  onChanged,
  onLeft,
}: Props) => {
  const { detail, setDetail, isAway, load } = useDetail(client, id)
  const [problem, setProblem] = useState<string>()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [detail?.id])
  /** What the room says of it then is no news, and its conversation not ours to ask for. */
  const isLeaving = useRef(false)

  const join = async () => {
    setProblem(undefined)
    try {
      const params = { path: { id } }
      setDetail(
        (await client.post('/api/v1/conversations/{id}/members', { params, body: { userId: user.id } })).data,
      )
      onChanged()
    } catch {
      setProblem('You could not be added. Please try again.')
    }
  }

  const act = async (which: Act) => {
    const params = { path: { id } }
    if (which === 'close') {
      setDetail((await client.post('/api/v1/conversations/{id}/close', { params })).data)
      onChanged()
      // The menu may be gone with what it was for.
      return heading.current?.focus()
    }
    isLeaving.current = true
    try {
      await client.post('/api/v1/conversations/{id}/leave', { params })
    } catch (error) {
      isLeaving.current = false
      throw error
    }
    onLeft()
  }

  const reopen = async ({ subject }: ConversationDetail) => {
    const { type, id: of } = subject
    await client.post('/api/v1/conversations', {
      body: { subject: { type, ...(of === null ? {} : { id: of }) } },
    })
    onChanged()
  }

  const isMember = detail?.members.some(({ userId }) => userId === user.id) === true
  if (detail && isMember) {
    return (
      <Talk
        {...{ chat, files, products, user, detail, patch, onBack }}
        tray={trayOf(id)}
        onMembers={() => !isLeaving.current && void load()}
        onAct={act}
        onReopen={() => reopen(detail)}
      />
    )
  }
  return (
    <main class="pane" aria-busy={detail === undefined && !isAway}>
      {detail ? (
        <ConversationHead conversation={detail} {...{ products, user, heading, onBack }}>
          {user.role === 'admin' && !detail.closed && (
            <ConversationMenu acts={['close']} ask={(which) => questionOf(which, detail, user)} onAct={act} />
          )}
        </ConversationHead>
      ) : (
        <PaneHead {...{ heading, onBack }} title={detail === null ? 'Not found' : 'Conversation'} />
      )}
      <div class="notice-area">
        {detail === null && <p>There is no such conversation, or it is not yours.</p>}
        {isAway && (
          <>
            <p role="alert">The conversation cannot be loaded.</p>
            <button class="primary" onClick={() => void load()}>
              Try again
            </button>
          </>
        )}
        {detail && (
          <>
            <p>
              {detail.customer.name} talks to the shop here. Take part to read and to answer.
              {detail.closed && ' The conversation is closed.'}
            </p>
            <button class="primary" onClick={() => void join()}>
              Take part
            </button>
            <p role="alert">{problem}</p>
          </>
        )}
      </div>
    </main>
  )
}
