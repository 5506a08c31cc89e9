import type { User } from '../../src/client/session.ts'
import type { Conversation } from './api.ts'
import { isCustomer } from './format.ts'

/** What can be done with a conversation as a whole. */
export type Act = 'close' | 'leave'

/** Opening a subject is opening one's own conversation about it; an order's alone is its customer's, whoever opens it. */
export const canReopen = (conversation: Conversation, user: User): boolean =>
  isCustomer(conversation, user.id) || (user.role === 'admin' && conversation.subject.type === 'order')

/** What is asked before it is done. */
export const questionOf = (act: Act, conversation: Conversation, user: User): string => {
  if (act === 'close') {
    const who = canReopen(conversation, user) ? 'somebody' : conversation.customer.name
    return `Close it for everyone? Nobody can write until ${who} opens it again.`
  }
  if (isCustomer(conversation, user.id))
    return 'Leave it? It goes from your list. Asking about the same thing again brings you back.'
  return user.role === 'admin'
    ? 'Leave it? You hear no more of it until you take part again.'
    : 'Leave it? It goes from your list, and only the shop can bring you back.'
}
