/** Every code a client may meet. Stable: a code is never renamed. docs/errors.md explains each. */
export const errorCodes = [
  'MALFORMED_JSON',
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'INVALID_CREDENTIALS',
  'EMAIL_NOT_VERIFIED',
  'REFRESH_INVALID',
  'REFRESH_REUSED',
  'FORBIDDEN',
  'INSUFFICIENT_SCOPE',
  'ORIGIN_REFUSED',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'EMAIL_TAKEN',
  'SLUG_TAKEN',
  'LINK_INVALID',
  'LAST_ADMIN',
  'API_KEY_QUOTA',
  'OUT_OF_STOCK',
  'INVALID_TRANSITION',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'REPORT_NOT_READY',
  'RANGE_NOT_SATISFIABLE',
  'MALFORMED_FORM',
  'UPLOAD_STALLED',
  'UPLOAD_IN_FLIGHT',
  'UPLOAD_INCOMPLETE',
  'DIRECT_UPLOAD_OFF',
  'DIGEST_MISMATCH',
  'QUOTA_EXCEEDED',
  'FILE_NOT_READY',
  'FILE_IN_USE',
  'IDEMPOTENCY_IN_FLIGHT',
  'IDEMPOTENCY_KEY_REUSED',
  'IDEMPOTENCY_NOT_SUPPORTED',
  'RATE_LIMITED',
  'CONVERSATION_CLOSED',
  'CONVERSATION_FULL',
  'ATTACHMENT_REFUSED',
  'TICKET_INVALID',
  'UPGRADE_REQUIRED',
  'TOO_MANY_SOCKETS',
  'WEBHOOK_REFUSED',
  'UNAVAILABLE',
  'INTERNAL',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export type FieldIssue = { field: string; message: string }

type Options = {
  /** Sent to the client as it is: never anything internal. */
  details?: unknown
  cause?: unknown
  /** Response headers that belong to the error, such as Allow. */
  headers?: Record<string, string>
}

/** What a service throws: a domain code and no status; `http/errors.ts` knows the statuses. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: unknown
  readonly headers: Record<string, string>

  constructor(code: ErrorCode, message: string, { details, cause, headers = {} }: Options = {}) {
    super(message, { cause })
    this.name = 'AppError'
    this.code = code
    this.details = details
    this.headers = headers
  }
}

export const invalid = (...details: FieldIssue[]): AppError =>
  new AppError('VALIDATION_FAILED', 'The request is not valid', { details })

export const notFound = (what: string): AppError => new AppError('NOT_FOUND', `${what} not found`)

/** The thing itself, or a 404 that names it. */
export const found = <T>(what: string, thing: T | undefined): T => {
  if (thing === undefined) throw notFound(what)
  return thing
}
