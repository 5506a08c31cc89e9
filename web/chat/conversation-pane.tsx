import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Chat } from '../../src/client/chat.ts'
import type { Client } from '../../src/client/rest.ts'
import type { User } from '../../src/client/session.ts'
import { ApiError } from '../../src/client/api-error.ts'
import type { Conversation, ConversationDetail } from './api.ts'
import type { Files } from './files.ts'
import { subjectOf, titleOf } from './format.ts'
import { Back } from './icons.tsx'
import { Talk } from './talk.tsx'
import type { Tray } from './tray.ts'

type Props = {
  chat: Chat
  client: Client
  files: Files
  trayOf: (conversationId: string) => Tray
  user: User
  id: string
  patch: (id: string, changes: Partial<Conversation>) => void
  onBack: () => void
  onChanged: () => void
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
  trayOf,
  user,
  id,
  patch,
  onBack,
  onChanged,
}: Props) => {
  const { detail, setDetail, isAway, load } = useDetail(client, id)
  const [problem, setProblem] = useState<string>()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [detail?.id])

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
        {...{ chat, files, user, detail, patch, onBack }}
        tray={trayOf(id)}
        onMembers={() => void load()}
        onReopen={() => reopen(detail)}
      />
    )
  }
  return (
    <main class="pane" aria-busy={detail === undefined && !isAway}>
      <header class="pane-head">
        <button class="round back" onClick={onBack} aria-label="Back to the conversations">
          <Back />
        </button>
        <div class="pane-title">
          <h2 ref={heading} tabIndex={-1}>
            {detail ? titleOf(detail, user.id) : detail === null ? 'Not found' : 'Conversation'}
          </h2>
          <p>{detail ? subjectOf(detail) : '\u00a0'}</p>
        </div>
      </header>
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
            <p>{detail.customer.name} talks to the shop here. Take part to read and to answer.</p>
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
