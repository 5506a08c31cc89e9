import type { FrameErrorCode } from '../chat/protocol.ts'

/**
 * Beside what the room itself refuses: `CLOSED`, the room was left by `close()`; `UNAVAILABLE`, nobody
 * answers an edit or a removal; `REVOKED`, the session has ended;
 * `REMOVED`, no longer a member; `TICKET_REFUSED`, `getTicket` failed for good (its error is the `cause`); `PROTOCOL`,
 * the room does not understand this client; `INVALID_MESSAGE`, it was not sent because it could not be stored;
 * `OVERFLOW`, an iterator fell too far behind.
 */
export type ChatErrorCode =
  | FrameErrorCode
  | 'CLOSED'
  | 'UNAVAILABLE'
  | 'REVOKED'
  | 'REMOVED'
  | 'TICKET_REFUSED'
  | 'PROTOCOL'
  | 'INVALID_MESSAGE'
  | 'OVERFLOW'

export class ChatError extends Error {
  readonly code: ChatErrorCode

  constructor(code: ChatErrorCode, message: string = code, cause?: unknown) {
    super(message, { cause })
    this.name = 'ChatError'
    this.code = code
  }
}
