import type { FrameErrorCode } from '../chat/protocol.ts'
import { ChatError } from './chat-error.ts'
import { closeCodes } from './protocol-values.ts'

/** Nothing was written, and the same frame is good later. */
export const isWaiting = (code: FrameErrorCode): boolean => code === 'RATE_LIMITED' || code === 'NOT_RESUMED'

const messages: Partial<Record<FrameErrorCode, string>> = {
  CONVERSATION_CLOSED: 'This conversation is closed',
  NOT_FOUND: 'There is no such message of yours',
  ATTACHMENT_REFUSED: 'Bring the file into the conversation first',
  INVALID_FRAME: 'The room does not understand this message',
}

export const refusalOf = (code: FrameErrorCode): ChatError => new ChatError(code, messages[code])

/** Why a socket that was closed with this code stays closed; undefined: it is worth coming back. */
export const closeErrors = (code: number, isOutdated: boolean): ChatError | undefined => {
  if (code === closeCodes.revoked) return new ChatError('REVOKED', 'The session has ended')
  if (code === closeCodes.removed) return new ChatError('REMOVED', 'You are no longer a member')
  if (code === closeCodes.protocol && isOutdated) {
    return new ChatError('PROTOCOL', 'The room does not understand this client')
  }
  return undefined
}
