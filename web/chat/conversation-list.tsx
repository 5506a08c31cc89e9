import { useRef } from 'preact/hooks'
import type { User } from '../../src/client/session.ts'
import type { Conversation } from './api.ts'
import { initialsOf, isCustomer, whenOf } from './format.ts'
import type { ProductNames } from './product-names.ts'
import { useNear } from './use-near.ts'
import { useSubject } from './use-subject.ts'

type Props = {
  all: Conversation[] | undefined
  selected: string | undefined
  user: User
  products: ProductNames
  onAsk: () => void
}

const preview = ({ lastMessage, closed }: Conversation, self: string): string => {
  if (lastMessage === null) return closed ? 'Closed' : 'No messages yet'
  const { content, from, attachments } = lastMessage
  const files = attachments === 0 ? '' : attachments === 1 ? 'File' : `${attachments} files`
  const text = [files, content].filter((part) => part !== '').join(': ')
  if (text === '') return from === null ? 'Update' : 'Removed message'
  return `${from === self ? 'You: ' : ''}${text}`
}

type RowProps = { one: Conversation; user: User; products: ProductNames; isOpen: boolean }

const Row = ({ one, user, products, isOpen }: RowProps) => {
  const element = useRef<HTMLAnchorElement>(null)
  const subject = useSubject(one, products, useNear(element, '200px'))
  const isOwn = isCustomer(one, user.id)
  const unread = one.unread ?? 0
  return (
    <li>
      <a
        ref={element}
        href={`#${one.id}`}
        class={unread > 0 ? 'row is-unread' : 'row'}
        aria-current={isOpen ? 'page' : undefined}
      >
        <span class={`avatar ${one.subject.type}`} aria-hidden="true">
          {isOwn ? one.subject.type.slice(0, 1).toUpperCase() : initialsOf(one.customer.name)}
        </span>
        <span class="row-title">
          {isOwn ? subject : one.customer.name}
          {!isOwn && <span class="tag">{subject}</span>}
        </span>
        <time class="row-time" dateTime={one.activeAt}>
          {whenOf(one.activeAt)}
        </time>
        <span class="row-preview">{preview(one, user.id)}</span>
        {unread > 0 ? (
          <span class="count">
            {unread > 99 ? '99+' : unread}
            <span class="hidden"> unread</span>
          </span>
        ) : (
          user.role === 'admin' && one.waiting && <span class="waiting">Waiting</span>
        )}
      </a>
    </li>
  )
}

export const ConversationList = ({ all, selected, user, products, onAsk }: Props) => {
  if (all === undefined) {
    return (
      <ul class="rows" aria-busy="true" aria-label="Loading">
        {[0, 1, 2, 3].map((n) => (
          <li key={n} class="row ghost" aria-hidden="true">
            <span class="avatar" />
            <span class="bar" />
            <span class="bar short" />
          </li>
        ))}
      </ul>
    )
  }
  if (all.length === 0) {
    return (
      <div class="no-rows">
        <p>No conversations yet.</p>
        {user.role !== 'admin' && (
          <button class="primary" onClick={onAsk}>
            Write to support
          </button>
        )}
      </div>
    )
  }
  return (
    <ul class="rows">
      {all.map((one) => (
        <Row key={one.id} one={one} user={user} products={products} isOpen={one.id === selected} />
      ))}
    </ul>
  )
}
