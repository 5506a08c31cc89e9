import { z } from '@hono/zod-openapi'
import { errorCodes, type ErrorCode } from '../shared/errors.ts'
import { maxCounted } from '../shared/page.ts'
import { statuses } from './errors.ts'

const requestId = '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f10'

export const Failure = z
  .object({
    error: z.object({
      code: z.enum(errorCodes),
      message: z.string(),
      details: z.unknown().optional(),
      requestId: z.string(),
    }),
  })
  .openapi('Error', { example: { error: { code: 'NOT_FOUND', message: 'Order not found', requestId } } })

/** What each code's details look like; codes without details are absent. */
const exampleDetails: Partial<Record<ErrorCode, unknown>> = {
  VALIDATION_FAILED: [{ field: 'items.0.quantity', message: 'Too small: expected number to be >=1' }],
  OUT_OF_STOCK: [{ productId: '01997b2c-6f0e-7c4a-9d55-3f1f6f2f9f11', requested: 3, available: 1 }],
  INSUFFICIENT_SCOPE: { scope: 'orders:write' },
  API_KEY_QUOTA: { limit: 20 },
  REPORT_NOT_READY: { status: 'running' },
  FILE_NOT_READY: { status: 'scanning' },
  QUOTA_EXCEEDED: {
    files: { used: 12, limit: 1_000 },
    bytes: { used: 1_072_000_000, limit: 1_073_741_824, asked: 2_481_013 },
  },
}

const exampleMessages: Record<ErrorCode, string> = {
  MALFORMED_JSON: 'The body is not valid JSON',
  VALIDATION_FAILED: 'The request is not valid',
  UNAUTHENTICATED: 'Send a valid access token as Authorization: Bearer',
  INVALID_CREDENTIALS: 'E-mail address or password is wrong',
  EMAIL_NOT_VERIFIED: 'Confirm your e-mail address first; a new link can be mailed',
  REFRESH_INVALID: 'The session has ended; log in again',
  REFRESH_REUSED: 'This refresh token was used before; its session has ended',
  FORBIDDEN: 'Your role does not allow this',
  INSUFFICIENT_SCOPE: 'The API key lacks the scope orders:write',
  ORIGIN_REFUSED: 'A request with a session cookie must come from a page of ours',
  NOT_FOUND: 'Order not found',
  METHOD_NOT_ALLOWED: 'DELETE is not allowed here',
  EMAIL_TAKEN: 'This e-mail address is already in use',
  SLUG_TAKEN: 'This slug is already in use',
  LINK_INVALID: 'This link is unknown, was used or has expired',
  LAST_ADMIN: 'The last administrator cannot be removed',
  API_KEY_QUOTA: 'The account has as many API keys as it may have',
  OUT_OF_STOCK: 'Not enough stock',
  INVALID_TRANSITION: 'Its present status does not allow this',
  PAYLOAD_TOO_LARGE: 'The body is larger than 1 MB',
  UNSUPPORTED_MEDIA_TYPE: 'Send the body as application/json',
  REPORT_NOT_READY: 'The report is not ready',
  RANGE_NOT_SATISFIABLE: 'The file has 48213 bytes',
  MALFORMED_FORM: 'The form breaks off or is not well formed',
  UPLOAD_STALLED: 'The body came too slowly',
  UPLOAD_IN_FLIGHT: 'The first upload with this X-Upload-Id is still under way',
  UPLOAD_INCOMPLETE: 'Its bytes have not all arrived',
  DIRECT_UPLOAD_OFF: 'Uploads straight to the store are not set up here',
  DIGEST_MISMATCH: 'The bytes are not those that Content-Digest names',
  QUOTA_EXCEEDED: 'The account has no room for this file',
  FILE_NOT_READY: 'The file is not ready',
  FILE_IN_USE: 'The file is attached to something',
  IDEMPOTENCY_IN_FLIGHT: 'The first request with this Idempotency-Key is still under way',
  IDEMPOTENCY_KEY_REUSED: 'This Idempotency-Key was used for another request',
  IDEMPOTENCY_NOT_SUPPORTED: 'This operation takes no Idempotency-Key: its reply is never stored',
  RATE_LIMITED: 'Too many requests: wait as long as Retry-After says',
  CONVERSATION_CLOSED: 'The conversation is closed',
  CONVERSATION_FULL: 'The conversation has as many members as it can have',
  ATTACHMENT_REFUSED: 'Bring the file into the conversation first',
  TICKET_INVALID: 'The ticket is unknown, was used, has expired or is for something else',
  UPGRADE_REQUIRED: 'Open a WebSocket here',
  TOO_MANY_SOCKETS: 'This account has as many sockets in this conversation as it can have',
  WEBHOOK_REFUSED: 'The signature of this message is missing, wrong or too old',
  UNAVAILABLE: 'A service we depend on is not available; try again shortly',
  INTERNAL: 'Something went wrong on our side',
}

const exampleOf = (code: ErrorCode) => ({
  value: {
    error: {
      code,
      message: exampleMessages[code],
      ...(exampleDetails[code] === undefined ? {} : { details: exampleDetails[code] }),
      requestId,
    },
  },
})

/** Documented failures by status, one example a code. */
export const failures = (codes: Iterable<ErrorCode>) => {
  const byStatus = Map.groupBy(new Set(codes), (code) => statuses[code])
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.join(' or '),
        content: {
          'application/json': {
            schema: Failure,
            examples: Object.fromEntries(of.map((code) => [code, exampleOf(code)])),
          },
        },
      },
    ]),
  )
}

export const json = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

export const jsonBody = <T extends z.ZodType>(schema: T) => ({
  required: true as const,
  content: { 'application/json': { schema } },
})

export const dataOf = <T extends z.ZodType>(schema: T) => z.object({ data: schema })

const Pagination = z
  .object({
    page: z.int(),
    limit: z.int(),
    total: z.int().describe(`Exact up to ${maxCounted}`),
    pages: z.int(),
    totalIsLowerBound: z.literal(true).optional().describe(`Set when more than ${maxCounted} rows match`),
  })
  .openapi('Pagination', { example: { page: 1, limit: 20, total: 300, pages: 15 } })

export const listOf = <T extends z.ZodType>(schema: T) =>
  z.object({ data: z.array(schema), pagination: Pagination })

/** `Location` of what a POST made. */
export const created = <T extends z.ZodType>(schema: T, description: string) => ({
  ...json(dataOf(schema), description),
  headers: z.object({ Location: z.string().openapi({ example: `/api/v1/orders/${requestId}` }) }),
})

/** `Location` of what a POST has others make. */
export const accepted = <T extends z.ZodType>(schema: T, description: string) => ({
  ...json(dataOf(schema), description),
  headers: z.object({ Location: z.string().openapi({ example: `/api/v1/reports/${requestId}` }) }),
})

export const noContent = { description: 'Done; no body' }
