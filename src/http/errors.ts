import type { Context, ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { describeError } from '../shared/describe-error.ts'
import type { AppEnv } from './context.ts'

/** Exhaustive: a new code without a status does not compile. */
export const statuses = {
  MALFORMED_JSON: 400,
  VALIDATION_FAILED: 422,
  UNAUTHENTICATED: 401,
  INVALID_CREDENTIALS: 401,
  EMAIL_NOT_VERIFIED: 403,
  REFRESH_INVALID: 401,
  REFRESH_REUSED: 401,
  FORBIDDEN: 403,
  INSUFFICIENT_SCOPE: 403,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  EMAIL_TAKEN: 409,
  SLUG_TAKEN: 409,
  LINK_INVALID: 400,
  LAST_ADMIN: 409,
  API_KEY_QUOTA: 409,
  OUT_OF_STOCK: 409,
  INVALID_TRANSITION: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  REPORT_NOT_READY: 409,
  RANGE_NOT_SATISFIABLE: 416,
  MALFORMED_FORM: 400,
  UPLOAD_STALLED: 408,
  UPLOAD_IN_FLIGHT: 409,
  UPLOAD_INCOMPLETE: 409,
  DIRECT_UPLOAD_OFF: 501,
  DIGEST_MISMATCH: 422,
  QUOTA_EXCEEDED: 409,
  FILE_NOT_READY: 404,
  FILE_IN_USE: 409,
  IDEMPOTENCY_IN_FLIGHT: 409,
  IDEMPOTENCY_KEY_REUSED: 422,
  IDEMPOTENCY_NOT_SUPPORTED: 400,
  RATE_LIMITED: 429,
  CONVERSATION_CLOSED: 409,
  CONVERSATION_FULL: 409,
  ATTACHMENT_REFUSED: 422,
  TICKET_INVALID: 401,
  UPGRADE_REQUIRED: 426,
  TOO_MANY_SOCKETS: 429,
  WEBHOOK_REFUSED: 400,
  UNAVAILABLE: 503,
  INTERNAL: 500,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>

/** What a 5xx says, whatever happened: the cause is for the log. */
const constantTexts: Partial<Record<ErrorCode, string>> = {
  INTERNAL: 'Something went wrong on our side',
  UNAVAILABLE: 'A service we depend on is not available; try again shortly',
}

const fromHttpException = (error: HTTPException): AppError => {
  if (error.status === 400)
    return new AppError('MALFORMED_JSON', 'The body is not valid JSON', { cause: error })
  if (error.status === 415) {
    return new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json', { cause: error })
  }
  return new AppError('INTERNAL', error.message, { cause: error })
}

const toAppError = (error: unknown): AppError => {
  if (error instanceof AppError) return error
  if (error instanceof HTTPException) return fromHttpException(error)
  return new AppError('INTERNAL', 'Unexpected', { cause: error })
}

const headersOf = ({ code, headers }: AppError): Record<string, string> => {
  if (statuses[code] === 401) return { 'WWW-Authenticate': 'Bearer realm="selvedge"', ...headers }
  if (statuses[code] === 503) return { 'Retry-After': '5', ...headers }
  if (code === 'IDEMPOTENCY_IN_FLIGHT' || code === 'UPLOAD_IN_FLIGHT')
    return { 'Retry-After': '1', ...headers }
  return headers
}

export const errorBody = (error: AppError, requestId: string, stack?: string) => ({
  error: {
    code: error.code,
    message: constantTexts[error.code] ?? error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
    requestId,
    ...(stack === undefined ? {} : { stack }),
  },
})

export const sendError = (c: Context<AppEnv>, error: AppError): Response => {
  const { config, requestId } = c.var
  const status = statuses[error.code]
  const stack = config.isDevelopment && status >= 500 ? describeError(error).stack : undefined
  return c.json(errorBody(error, requestId, stack), status, headersOf(error))
}

export const onError: ErrorHandler<AppEnv> = (thrown, c) => {
  const error = toAppError(thrown)
  if (statuses[error.code] >= 500) c.var.log.error('request failed', { error: describeError(error) })
  return sendError(c, error)
}
