import { NeonDbError } from '@neondatabase/serverless'
import { z } from 'zod'
import { AppError, errorCodes, type ErrorCode, type FieldIssue } from '../shared/errors.ts'
import { Replay } from '../shared/replay.ts'

/** SQLSTATE that raise_app() of migration 0000 raises with. */
const raisedByGuard = 'SV001'

const messages: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'The session or key has ended',
  FORBIDDEN: 'Your role does not allow this',
  NOT_FOUND: 'Not found',
  LINK_INVALID: 'This link is unknown, was used or has expired',
  API_KEY_QUOTA: 'The account has as many API keys as it may have',
  LAST_ADMIN: 'The last administrator cannot be removed',
  OUT_OF_STOCK: 'Not enough stock',
  CONVERSATION_CLOSED: 'The conversation is closed',
  CONVERSATION_FULL: 'The conversation has as many members as it can have',
  INVALID_TRANSITION: 'Its present status does not allow this',
  VALIDATION_FAILED: 'The request is not valid',
  QUOTA_EXCEEDED: 'The account has no room for this file',
  FILE_IN_USE: 'The file is attached to something',
  IDEMPOTENCY_IN_FLIGHT: 'The first request with this Idempotency-Key is still under way',
}

type Violation = { code: ErrorCode; message: string; field?: string }

/** Each constraint that a valid request can still run into; every other one is a fault of ours. */
const constraints: Record<string, Violation> = {
  users_email_unique: { code: 'EMAIL_TAKEN', message: 'This e-mail address is already in use' },
  products_slug_unique: { code: 'SLUG_TAKEN', message: 'This slug is already in use' },
  categories_slug_unique: { code: 'SLUG_TAKEN', message: 'This slug is already in use' },
  products_category_id_fk: { code: 'VALIDATION_FAILED', message: 'unknown category', field: 'categoryId' },
  product_images_upload_id_uploads_id_fk: {
    code: 'FILE_IN_USE',
    message: 'The file is attached to something',
  },
  conversation_files_upload_id_uploads_id_fk: {
    code: 'FILE_IN_USE',
    message: 'The file is attached to something',
  },
  products_stock_check: { code: 'OUT_OF_STOCK', message: 'Not enough stock' },
}

/** Values that no column could take, although the schemas let them through: 22xxx of PostgreSQL's appendix A. */
const unfit = new Set(['22001', '22003', '22007', '22008', '22009', '22021', '22023', '22P02', '22P05'])

/** Serialization failure and deadlock: nothing was written, the same batch may simply run again. */
const undone = new Set(['40001', '40P01'])

/** Class 08 connection, 53 resources, 57 operator intervention, 58 system; 55P03 lock not available; 25P03 idle. */
const away = /^(08|28|53|57|58)|^55P03$|^25P0[34]$/

const invalidToken = 'Bearer realm="selvedge", error="invalid_token"'

const parseDetail = (detail: string | undefined): unknown => {
  try {
    return JSON.parse(detail ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}

const fromGuard = (error: NeonDbError): AppError => {
  const code = errorCodes.find((known) => known === error.message) ?? 'INTERNAL'
  const message = messages[code] ?? 'The database refused the change'
  return new AppError(code, message, {
    details: parseDetail(error.detail),
    cause: error,
    // Only the actor guard raises it, and only a token brings a request there (RFC 6750, section 3.1).
    ...(code === 'UNAUTHENTICATED' && { headers: { 'WWW-Authenticate': invalidToken } }),
  })
}

const Stored = z.object({ same: z.boolean(), status: z.int(), text: z.string() })

const fromReplay = (error: NeonDbError): Replay => new Replay(Stored.parse(parseDetail(error.detail)))

const fromConstraint = ({ code, message, field }: Violation, cause: NeonDbError): AppError => {
  if (field === undefined) return new AppError(code, message, { cause })
  const details: FieldIssue[] = [{ field, message }]
  return new AppError(code, 'The request is not valid', { details, cause })
}

const unavailable = (cause: unknown): AppError =>
  new AppError('UNAVAILABLE', 'The database is not available', { cause, headers: { 'Retry-After': '2' } })

/** One mapper for everything the driver throws; what is not the driver's comes back as it was. */
export const toAppError = (error: unknown): unknown => {
  if (!(error instanceof NeonDbError)) return error
  const { code, constraint } = error
  if (code === undefined || away.test(code) || undone.has(code)) return unavailable(error)
  if (code === raisedByGuard) return error.message === 'REPLAY' ? fromReplay(error) : fromGuard(error)
  const violation = constraint === undefined ? undefined : constraints[constraint]
  if (violation !== undefined) return fromConstraint(violation, error)
  if (unfit.has(code)) {
    return new AppError('VALIDATION_FAILED', 'A value is outside what can be stored', {
      details: [],
      cause: error,
    })
  }
  return new AppError('INTERNAL', 'The database refused the change', { cause: error })
}

export const wasUndone = (error: unknown): boolean =>
  error instanceof NeonDbError && undone.has(error.code ?? '')

/** Did the call fail without an answer of the database? A write may then have happened or not. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof NeonDbError && (error.code === undefined || away.test(error.code))
