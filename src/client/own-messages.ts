import type { Message } from '../chat/protocol.ts'
import type { ChatErrorCode } from './chat-error.ts'
import type { RoomMessage, Sent } from './room-types.ts'

export type Draft = Pick<Message, 'content' | 'attachments'>

type OwnMessage = RoomMessage & { draft: Draft }

/** Own messages that the log does not have yet, in the order in which they were written. */
export const createOwnMessages = () => {
  let messages: OwnMessage[] = []

  const is = (clientId: string) => (one: OwnMessage) => one.clientId === clientId

  const hasFailed = (clientId: string) => (one: OwnMessage) =>
    one.clientId === clientId && one.state === 'failed'

  const drop = (matches: (one: OwnMessage) => boolean) => {
    messages = messages.filter((one) => !matches(one))
  }

  const change = (matches: (one: OwnMessage) => boolean, changes: Partial<OwnMessage>) => {
    messages = messages.map((one) => (matches(one) ? { ...one, ...changes } : one))
  }

  return {
    /** As a list shows them. */
    show: (from: string | null): RoomMessage[] => messages.map(({ draft: _, ...one }) => ({ ...one, from })),
    /** One that failed is written anew, at the end. */
    add(clientId: string, draft: Draft, at: string): void {
      drop(is(clientId))
      messages.push({ clientId, id: null, seq: null, from: null, at, state: 'sending', ...draft, draft })
    },
    failed: (clientId: string): Draft | undefined => messages.find(hasFailed(clientId))?.draft,
    acknowledge: (sent: Sent): void => change(is(sent.clientId), { state: 'sent', ...sent }),
    fail: (clientId: string, error: ChatErrorCode): void => change(is(clientId), { state: 'failed', error }),
    discard: (clientId: string): void => drop(hasFailed(clientId)),
    logged: (clientId: string): void => drop(is(clientId)),
    /** What was acknowledged up to there is the log's to show. */
    loggedTo: (position: number): void =>
      drop(({ state, seq }) => state === 'sent' && seq !== null && seq <= position),
  }
}
