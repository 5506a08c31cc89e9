import { memo } from 'preact/compat'
import type { Room } from '../../src/client/room.ts'
import type { RoomMessage } from '../../src/client/room-types.ts'
import { Attachments } from './attachments.tsx'
import { isChangeable } from './composer.tsx'
import type { Files } from './files.ts'
import { describeFailure, timeOf } from './format.ts'
import { Ticks } from './icons.tsx'
import { useMessageMenu } from './message-menu.tsx'

type Props = {
  message: RoomMessage
  room: Room
  files: Files
  isOwn: boolean
  /** The conversation takes no changes. */
  isClosed: boolean
  isContinued: boolean
  /** null: the shop's own notices. */
  author: string | null
  showsAuthor: boolean
  onEdit: (message: RoomMessage) => void
  onDiscard: (message: RoomMessage) => void
}

const link = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])/

/** Addresses become links; nothing else of a message is more than text. */
const Content = ({ text }: { text: string }) => (
  <>
    {text.split(link).map((part, n) =>
      n % 2 === 1 ? (
        <a key={n} href={part} target="_blank" rel="noopener noreferrer nofollow">
          {part}
        </a>
      ) : (
        part
      ),
    )}
  </>
)

const Failed = ({ message, room, onDiscard }: Pick<Props, 'message' | 'room' | 'onDiscard'>) => (
  <p class="failure">
    <span>{describeFailure(message.error)}</span>
    {message.error !== 'REMOVED' && (
      // A refusal is shown where the message stands.
      <button class="link" onClick={() => void room.retry(message.clientId).catch(() => undefined)}>
        Try again
      </button>
    )}
    <button class="link" onClick={() => onDiscard(message)}>
      Discard
    </button>
  </p>
)

/** By value: a view is made anew with each change, and most of its messages are what they were. */
const isSame = (one: Props, other: Props): boolean =>
  one.room === other.room &&
  one.isClosed === other.isClosed &&
  one.message.id === other.message.id &&
  one.isContinued === other.isContinued &&
  one.author === other.author &&
  one.showsAuthor === other.showsAuthor &&
  one.message.state === other.message.state &&
  one.message.content === other.message.content &&
  one.message.at === other.message.at &&
  one.message.editedAt === other.message.editedAt &&
  one.message.removedAt === other.message.removedAt

export const MessageBubble = memo(
  ({ message, room, files, isOwn, isClosed, isContinued, author, showsAuthor, onEdit, onDiscard }: Props) => {
    const { content, at, state, attachments = [], editedAt, removedAt } = message
    const menu = useMessageMenu({ message, room, isClosed, onEdit })
    const canChange = isOwn && isChangeable(message)
    if (author === null) {
      return (
        <li class="event">
          <span>{content}</span>
          <time dateTime={at}>{timeOf(at)}</time>
        </li>
      )
    }
    return (
      <li
        class={`message ${isOwn ? 'is-own' : ''} ${isContinued ? 'is-continued' : ''} ${menu.isOpen ? 'is-open' : ''} ${state}`}
      >
        <span class={isOwn || !showsAuthor || isContinued ? 'hidden' : 'author'}>
          {isOwn ? 'You' : author}
        </span>
        <div class="line">
          <div class="bubble">
            {attachments.length > 0 && <Attachments all={attachments} files={files} />}
            {removedAt === undefined ? (
              content !== '' && (
                <p class="content" dir="auto">
                  <Content text={content} />
                </p>
              )
            ) : (
              <p class="content is-removed">This message was removed</p>
            )}
            <span class="meta">
              {editedAt !== undefined && removedAt === undefined && <span>Edited</span>}
              <time dateTime={at}>{timeOf(at)}</time>
              <Ticks state={state} />
            </span>
          </div>
          {canChange && menu.toggle}
        </div>
        {state === 'failed' && <Failed {...{ message, room, onDiscard }} />}
        {canChange && menu.menu}
      </li>
    )
  },
  isSame,
)
