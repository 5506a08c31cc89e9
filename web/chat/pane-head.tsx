import type { ComponentChildren, RefObject } from 'preact'
import type { User } from '../../src/client/session.ts'
import type { Conversation } from './api.ts'
import { isCustomer } from './format.ts'
import { Back } from './icons.tsx'
import type { ProductNames } from './product-names.ts'
import { useSubject } from './use-subject.ts'

export type Status = { isOnline: boolean; text: string }

type Common = {
  heading: RefObject<HTMLHeadingElement | null>
  status?: Status | undefined
  onBack: () => void
  /** What can be done with it. */
  children?: ComponentChildren
}

/** `about`: what the title does not say. */
type Props = Common & { title: string; about?: string | undefined }

export const PaneHead = ({ heading, title, about, status, onBack, children }: Props) => (
  <header class="pane-head">
    <button class="round back" onClick={onBack} aria-label="Back to the conversations">
      <Back />
    </button>
    <div class="pane-title">
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <p>
        {about !== undefined && <span class="pane-about">{about}</span>}
        {about !== undefined && status !== undefined && <span aria-hidden="true">·</span>}
        {status !== undefined && (
          <span class={status.isOnline ? 'presence is-online' : 'presence'}>{status.text}</span>
        )}
        {about === undefined && status === undefined && '\u00a0'}
      </p>
    </div>
    {children}
  </header>
)

type OfConversation = Common & { conversation: Conversation; products: ProductNames; user: User }

/** For the customer it is about something; for the shop with somebody, and about something. */
export const ConversationHead = ({ conversation, products, user, ...rest }: OfConversation) => {
  const subject = useSubject(conversation, products)
  return isCustomer(conversation, user.id) ? (
    <PaneHead title={subject} {...rest} />
  ) : (
    <PaneHead title={conversation.customer.name} about={subject} {...rest} />
  )
}
