import { memo } from 'preact/compat'
import type { Client } from '../../src/client/rest.ts'
import type { Room } from '../../src/client/room.ts'
import type { RoomMessage } from '../../src/client/room-types.ts'
import { Attachments } from './attachments.tsx'
import { describeFailure, timeOf } from './format.ts'
import { Ticks } from './icons.tsx'

type Props = {
  message: RoomMessage
  room: Room
  client: Client
  isOwn: boolean
  isContinued: boolean
  /** null: the shop's own notices. */
  author: string | null
  showsAuthor: boolean
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

const Failed = ({ message: { clientId, error }, room }: Pick<Props, 'message' | 'room'>) => (
  <p class="failure">
    <span>{describeFailure(error)}</span>
    {error !== 'REMOVED' && (
      // A refusal is shown where the message stands.
      <button class="link" onClick={() => void room.retry(clientId).catch(() => undefined)}>
        Try again
      </button>
    )}
    <button class="link" onClick={() => room.discard(clientId)}>
      Discard
    </button>
  </p>
)

/** By value: a view is made anew with each change, and most of its messages are what they were. */
const isSame = (one: Props, other: Props): boolean =>
  one.room === other.room &&
  one.isContinued === other.isContinued &&
  one.author === other.author &&
  one.showsAuthor === other.showsAuthor &&
  one.message.state === other.message.state &&
  one.message.content === other.message.content &&
  one.message.at === other.message.at &&
  one.message.editedAt === other.message.editedAt &&
  one.message.removedAt === other.message.removedAt

export const MessageBubble = memo(
  ({ message, room, client, isOwn, isContinued, author, showsAuthor }: Props) => {
    const { content, at, state, attachments = [], editedAt, removedAt } = message
    if (author === null) {
      return (
        <li class="event">
          <span>{content}</span>
          <time dateTime={at}>{timeOf(at)}</time>
        </li>
      )
    }
    return (
      <li class={`message ${isOwn ? 'is-own' : ''} ${isContinued ? 'is-continued' : ''} ${state}`}>
        <span class={isOwn || !showsAuthor || isContinued ? 'hidden' : 'author'}>
          {isOwn ? 'You' : author}
        </span>
        <div class="bubble">
          {removedAt === undefined ? (
            content !== '' && (
              <p class="content" dir="auto">
                <Content text={content} />
              </p>
            )
          ) : (
            <p class="content is-removed">This message was removed</p>
          )}
          <Attachments ids={attachments} client={client} />
          <span class="meta">
            {editedAt !== undefined && removedAt === undefined && <span>Edited</span>}
            <time dateTime={at}>{timeOf(at)}</time>
            <Ticks state={state} />
          </span>
        </div>
        {state === 'failed' && <Failed message={message} room={room} />}
      </li>
    )
  },
  isSame,
)
