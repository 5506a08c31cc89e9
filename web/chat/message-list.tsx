import { Fragment } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Room } from '../../src/client/room.ts'
import type { RoomMessage, RoomView } from '../../src/client/room-types.ts'
import type { Files } from './files.ts'
import { dayLabel, isContinued, isNewDay } from './format.ts'
import { Down } from './icons.tsx'
import { MessageBubble } from './message-bubble.tsx'
import { useDivider } from './use-divider.ts'

type Props = {
  room: Room
  view: RoomView
  files: Files
  names: Map<string, string>
  self: string
  /** The seq of the last message when the conversation was opened. */
  head: number
  isTyping: boolean
  onEdit: (message: RoomMessage) => void
  onDiscard: (message: RoomMessage) => void
}

/** Pixels from the end within which one is still at the end. */
const nearEnd = 80

const isSeen = (): boolean => document.visibilityState === 'visible' && document.hasFocus()

/** Keeps the end in view while one is there, and the place while older messages come above it. */
const useScroll = (view: RoomView) => {
  const area = useRef<HTMLDivElement>(null)
  const before = useRef({ height: 0, first: undefined as string | undefined })
  const isAtEnd = useRef(true)
  const [isAway, setAway] = useState(false)
  const first = view.messages[0]?.clientId

  useLayoutEffect(() => {
    const element = area.current
    if (element === null) return
    const { height, first: known } = before.current
    if (isAtEnd.current) element.scrollTop = element.scrollHeight
    else if (known !== undefined && known !== first) element.scrollTop += element.scrollHeight - height
    before.current = { height: element.scrollHeight, first }
  })

  // A keyboard on a phone, a composer that grows: the end stays in view.
  useEffect(() => {
    const element = area.current
    if (element === null) return
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) element.scrollTop = element.scrollHeight
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const onScroll = () => {
    const element = area.current
    if (element === null) return
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd
    setAway(!isAtEnd.current)
  }

  const toEnd = () => {
    isAtEnd.current = true
    setAway(false)
    if (area.current !== null) area.current.scrollTop = area.current.scrollHeight
  }

  return { area, isAtEnd, isAway, onScroll, toEnd }
}

/** What is at the end of a page that somebody looks at is read. */
const useReading = (room: Room, view: RoomView, isAway: boolean) => {
  const last = view.messages.findLast(({ seq }) => seq !== null)?.seq ?? 0
  useEffect(() => {
    const read = () => {
      if (isSeen() && !isAway && view.status === 'online') room.markRead()
    }
    read()
    addEventListener('focus', read)
    document.addEventListener('visibilitychange', read)
    return () => {
      removeEventListener('focus', read)
      document.removeEventListener('visibilitychange', read)
    }
  }, [room, last, isAway, view.status])
}

/** Null: the system. What is one's own is so before the room has said who one is. */
const authorOf = ({ from, state }: RoomMessage, names: Map<string, string>): string | null => {
  if (from !== null) return names.get(from) ?? 'Former member'
  return state === 'received' ? null : 'You'
}

export const MessageList = ({ room, view, files, names, self, head, isTyping, onEdit, onDiscard }: Props) => {
  const { area, isAtEnd, isAway, onScroll, toEnd } = useScroll(view)
  const isLooking = () => isSeen() && isAtEnd.current
  const divider = useDivider(view, { room, self, head, isLooking })
  useReading(room, view, isAway)
  const [isLoading, setLoading] = useState(false)
  const unseen = view.messages.filter(({ seq, from }) => from !== self && (seq ?? 0) > view.read).length

  // One's own new message is where one is.
  const lastOwn = view.messages.findLast(({ state }) => state === 'sending')?.clientId
  useEffect(() => {
    if (lastOwn !== undefined) toEnd()
  }, [lastOwn])

  const loadOlder = async () => {
    if (isLoading) return
    setLoading(true)
    try {
      await room.history(50)
    } finally {
      setLoading(false)
    }
  }

  // All that came at first may have been edits.
  useEffect(() => {
    if (view.hasMore && view.messages.length < 20) void loadOlder().catch(() => undefined)
  }, [view.hasMore, view.messages.length])

  return (
    <div class="talk">
      <div
        class="messages"
        ref={area}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label="Conversation"
      >
        {view.hasMore && (
          <button
            class="older"
            onClick={() => void loadOlder().catch(() => undefined)}
            aria-disabled={isLoading}
          >
            {isLoading ? 'Loading…' : 'Earlier messages'}
          </button>
        )}
        <div role="log" aria-label="Messages" aria-busy={view.status === 'connecting'}>
          <ol>
            {view.messages.map((message, n) => {
              const previous = view.messages[n - 1]
              const starts = isNewDay(message, previous)
              const isNew = divider !== undefined && message.seq === divider
              return (
                <Fragment key={`${message.from ?? ''} ${message.clientId}`}>
                  {starts && (
                    <li class="day">
                      <span>{dayLabel(message.at)}</span>
                    </li>
                  )}
                  {isNew && (
                    <li class="new">
                      <span>New</span>
                    </li>
                  )}
                  <MessageBubble
                    {...{ message, room, files, onEdit, onDiscard }}
                    isClosed={view.isClosed}
                    isOwn={message.state !== 'received'}
                    isContinued={!starts && !isNew && isContinued(message, previous)}
                    author={authorOf(message, names)}
                    showsAuthor={view.members.length > 2}
                  />
                </Fragment>
              )
            })}
          </ol>
        </div>
        {view.messages.length === 0 && view.status === 'online' && (
          <p class="hello">Nothing has been said yet. Write the first message.</p>
        )}
        {view.messages.length === 0 && view.status === 'connecting' && <p class="hello">Loading…</p>}
        {isTyping && (
          <p class="typing" aria-hidden="true">
            <i />
            <i />
            <i />
          </p>
        )}
      </div>
      {isAway && (
        <button class="to-end" onClick={toEnd}>
          <Down />
          <span>{unseen > 0 ? `${unseen} new ${unseen === 1 ? 'message' : 'messages'}` : 'To the end'}</span>
        </button>
      )}
    </div>
  )
}
