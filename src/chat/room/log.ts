import type { AttachedFile, ClientFrame, LogEvent, Message } from '../protocol.ts'
import { moveMark } from './marks.ts'
import {
  chain,
  memberOf,
  refuse,
  still,
  type Effect,
  type Lookup,
  type Post,
  type Socket,
  type State,
  type Step,
} from './state.ts'

export const append = (state: State, event: LogEvent): Step => {
  const messages = state.messages + (event.type === 'message' ? 1 : 0)
  return {
    state: { ...state, head: event.seq, messages },
    effects: [{ do: 'append', event, n: messages }, { do: 'broadcast', frame: event }, { do: 'publish' }],
  }
}

export const post = (state: State, { from, ...rest }: Post): Step => {
  const seq = state.head + 1
  const message: Message = { seq, from, ...rest }
  const typed = from !== null && state.typed.has(from) ? state.typed.delete(from) : state.typed
  return chain(
    { ...state, typed },
    (before) => append(before, { type: 'message', ...message }),
    // Who writes has read what stands above.
    (after) => (from === null ? still(after) : moveMark(after, from, { read: seq })),
  )
}

export const withFiles = (attachments: AttachedFile[]): { attachments?: AttachedFile[] } =>
  attachments.length === 0 ? {} : { attachments }

const acknowledge = (to: string, { clientId, id, seq, at }: Message): Effect => ({
  do: 'send',
  to,
  frame: { type: 'ack', clientId, id, seq, at },
})

export const send = (
  state: State,
  { id, userId }: Socket,
  { clientId, content }: Extract<ClientFrame, { type: 'send' }>,
  { known, waitMs, files, newId, now }: Lookup,
): Step => {
  if (known !== undefined) return { state, effects: [acknowledge(id, known)] }
  if (state.closed.is) return { state, effects: [refuse(id, 'CONVERSATION_CLOSED', { clientId })] }
  if (files === null) return { state, effects: [refuse(id, 'ATTACHMENT_REFUSED', { clientId })] }
  if (waitMs > 0) return { state, effects: [refuse(id, 'RATE_LIMITED', { clientId, retryAfter: waitMs })] }
  const at = new Date(now).toISOString()
  const message = { id: newId, from: userId, clientId, at, content, ...withFiles(files) }
  const step = post(state, message)
  return { ...step, effects: [...step.effects, acknowledge(id, { seq: step.state.head, ...message })] }
}

/** The author's; and what they wrote is the shop's to take away, but never to put into other words. */
const mayChange = (
  state: State,
  userId: string,
  { from, removedAt }: Message,
  how: 'edit' | 'remove',
): boolean => {
  if (removedAt !== undefined || from === null) return false
  return from === userId || (how === 'remove' && memberOf(state, userId)?.role === 'shop')
}

export const edit = (
  state: State,
  { id: to, userId }: Socket,
  { id, content }: Extract<ClientFrame, { type: 'edit' }>,
  { target, waitMs, now }: Lookup,
): Step => {
  if (target === undefined || !mayChange(state, userId, target, 'edit')) {
    return { state, effects: [refuse(to, 'NOT_FOUND', { id })] }
  }
  if (state.closed.is) return { state, effects: [refuse(to, 'CONVERSATION_CLOSED', { id })] }
  const at = new Date(now).toISOString()
  // Said again after a lost answer: whoever asks hears that it is so.
  if (target.content === content) {
    const { seq } = target
    return {
      state,
      effects: [
        {
          do: 'send',
          to,
          frame: { type: 'messageEdited', seq, id, at: target.editedAt ?? target.at, content },
        },
      ],
    }
  }
  if (waitMs > 0) return { state, effects: [refuse(to, 'RATE_LIMITED', { id, retryAfter: waitMs })] }
  return append(state, { type: 'messageEdited', seq: state.head + 1, id, at, content })
}

export const remove = (
  state: State,
  { id: to, userId }: Socket,
  { id }: Extract<ClientFrame, { type: 'remove' }>,
  { target, now }: Lookup,
): Step => {
  if (target === undefined || !mayChange(state, userId, target, 'remove')) {
    return { state, effects: [refuse(to, 'NOT_FOUND', { id })] }
  }
  return append(state, {
    type: 'messageRemoved',
    seq: state.head + 1,
    id,
    at: new Date(now).toISOString(),
    by: userId,
  })
}
