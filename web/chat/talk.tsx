import { useEffect, useRef, useState } from 'preact/hooks'
import type { Chat } from '../../src/client/chat.ts'
import type { RoomMessage, RoomView } from '../../src/client/room-types.ts'
import type { User } from '../../src/client/session.ts'
import { canReopen, questionOf, type Act } from './acts.ts'
import type { Conversation, ConversationDetail } from './api.ts'
import { ConversationMenu } from './conversation-menu.tsx'
import { Composer } from './composer.tsx'
import type { Files } from './files.ts'
import { isCustomer, lastSeenOf } from './format.ts'
import { Clip } from './icons.tsx'
import { MessageList } from './message-list.tsx'
import { ConversationHead, type Status } from './pane-head.tsx'
import type { ProductNames } from './product-names.ts'
import type { Tray } from './tray.ts'
import { isTouch } from './touch.ts'
import { useDrop } from './use-drop.ts'
import { useRoom } from './use-room.ts'

type Props = {
  chat: Chat
  files: Files
  products: ProductNames
  tray: Tray
  user: User
  detail: ConversationDetail
  patch: (id: string, changes: Partial<Conversation>) => void
  onBack: () => void
  onMembers: () => void
  onReopen: () => Promise<void>
  onAct: (act: Act) => Promise<void>
}

/** Of the others: for the shop the customer, for a customer whoever of the shop is there. */
const presenceOf = (view: RoomView, self: string): Status | undefined => {
  const known = view.members.flatMap(({ userId, role }) => {
    const presence = view.presence.get(userId)
    return userId === self || presence === undefined ? [] : [{ role, ...presence }]
  })
  const online = known.find(({ status }) => status === 'online')
  if (online !== undefined)
    return { isOnline: true, text: online.role === 'shop' ? 'The shop is online' : 'Online' }
  const seen = known.flatMap(({ lastSeen }) => (lastSeen === null ? [] : [lastSeen])).toSorted()
  return known.length === 0 ? undefined : { isOnline: false, text: lastSeenOf(seen.at(-1) ?? null) }
}

const statusOf = (
  view: RoomView,
  { self, typing, isOwn }: { self: string; typing: string[]; isOwn: boolean },
): Status | undefined => {
  // What was known before a cut may be long over.
  const presence = view.status === 'online' ? presenceOf(view, self) : undefined
  if (typing.length > 0) {
    const text = `${typing.join(' and ')} ${typing.length === 1 ? 'is' : 'are'} typing…`
    return { isOnline: presence?.isOnline === true, text }
  }
  return presence ?? (isOwn ? { isOnline: false, text: 'The shop answers here' } : undefined)
}

const Banner = ({ view, onBack }: { view: RoomView; onBack: () => void }) => {
  const isOver = view.status === 'closed' && view.error?.code !== 'CLOSED'
  const text =
    view.status === 'offline'
      ? 'Connection lost. Reconnecting… What you write is kept, and sent when you are back.'
      : isOver
        ? view.error?.code === 'REMOVED'
          ? 'You are no longer part of this conversation.'
          : 'This conversation cannot be opened any more. Please reload the page.'
        : ''
  return (
    <div class={`banner ${text === '' ? '' : 'is-shown'} ${isOver ? 'is-final' : ''}`} role="status">
      {text !== '' && (
        <>
          {!isOver && <span class="spinner" aria-hidden="true" />}
          <span>{text}</span>
          {isOver && (
            <button class="link" onClick={onBack}>
              Back to the conversations
            </button>
          )}
        </>
      )}
    </div>
  )
}

export const Talk = ({
  chat,
  files,
  products,
  tray,
  user,
  detail,
  patch,
  onBack,
  onMembers,
  onReopen,
  onAct,
}: Props) => {
  const { id } = detail
  const { room, view } = useRoom(chat, id)
  const [problem, setProblem] = useState<string>()
  const [editing, setEditing] = useState<RoomMessage>()
  const heading = useRef<HTMLHeadingElement>(null)
  const head = useRef(detail.lastMessage?.seq ?? 0)
  // Elsewhere the field takes it.
  useEffect(() => {
    if (isTouch() || view.isClosed) heading.current?.focus()
  }, [])

  useEffect(() => room.on('member', onMembers), [room])

  const newest = view.messages.findLast(({ seq }) => seq !== null)
  useEffect(() => {
    if (newest === undefined || newest.id === null || newest.seq === null) return
    const { id: message, seq, from, at, content, attachments = [] } = newest
    const lastMessage = { id: message, seq, from, at, content, attachments: attachments.length }
    const waiting = detail.members.some(({ userId, role }) => userId === from && role === 'customer')
    patch(id, { lastMessage, waiting, activeAt: at })
  }, [newest?.seq, newest?.content, newest?.removedAt])

  // In the list, too, what is read here is read.
  const unseen = view.messages.filter(({ seq, from }) => from !== user.id && (seq ?? 0) > view.read).length
  useEffect(() => {
    if (view.status === 'online' && unseen === 0) patch(id, { unread: 0 })
  }, [view.status, unseen])

  const names = new Map(detail.members.map(({ userId, name }) => [userId, name]))
  const typing = view.typing.map((userId) => names.get(userId) ?? 'Somebody')
  const isOwn = isCustomer(detail, user.id)
  const status = statusOf(view, { self: user.id, typing, isOwn })
  const isGone = view.status === 'closed'
  const acts: Act[] = isGone ? [] : view.isClosed ? ['leave'] : ['close', 'leave']

  const reopen = async () => {
    setProblem(undefined)
    try {
      await onReopen()
    } catch {
      setProblem('The conversation could not be opened again. Please try again.')
    }
  }

  const drop = useDrop(view.isClosed || isGone, tray.add)

  const discard = ({ clientId, attachments = [] }: RoomMessage) => {
    room.discard(clientId)
    tray.letGo(attachments)
  }

  return (
    <main class="pane" {...drop.handlers}>
      <ConversationHead conversation={detail} {...{ products, user, heading, status, onBack }}>
        {acts.length > 0 && (
          <ConversationMenu acts={acts} ask={(act) => questionOf(act, detail, user)} onAct={onAct} />
        )}
      </ConversationHead>
      <Banner view={view} onBack={onBack} />
      <MessageList
        {...{ room, view, files, names }}
        self={user.id}
        head={head.current}
        isTyping={typing.length > 0}
        onEdit={setEditing}
        onDiscard={discard}
      />
      {drop.isOver && (
        <div class="drop" aria-hidden="true">
          <Clip />
          <p>Let go to attach</p>
        </div>
      )}
      {view.isClosed ? (
        <div class="closed-note">
          <p>This conversation is closed.</p>
          {canReopen(detail, user) ? (
            <button class="link" onClick={() => void reopen()}>
              Open it again
            </button>
          ) : (
            <p>Only {detail.customer.name} can open it again.</p>
          )}
          <p role="alert">{problem}</p>
        </div>
      ) : (
        <Composer
          {...{ room, tray }}
          isOver={isGone}
          // Removed meanwhile, here or by the shop: there is nothing left to change.
          editing={view.messages.find((one) => one.id === editing?.id && one.removedAt === undefined)}
          onEdit={setEditing}
        />
      )}
    </main>
  )
}
