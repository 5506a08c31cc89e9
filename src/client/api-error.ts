import type { components } from './openapi.ts'

/**
 * What the API calls it (docs/errors.md); `NETWORK`: no answer came, `UNKNOWN`: the answer was none of the API's.
 */
export type ApiErrorCode = components['schemas']['Error']['error']['code'] | 'NETWORK' | 'UNKNOWN'

type Facts = {
  /** 0 without an answer. */
  status: number
  code: ApiErrorCode
  message: string
  details?: unknown
  requestId?: string | undefined
  retryAfter?: number | undefined
  cause?: unknown
}

export class ApiError extends Error {
  readonly status: number
  readonly code: ApiErrorCode
  readonly details: unknown
  /** Leads through the logs of the other side. */
  readonly requestId: string | undefined
  /** Milliseconds, where the API says so. */
  readonly retryAfter: number | undefined

  constructor({ status, code, message, details, requestId, retryAfter, cause }: Facts) {
    super(message, { cause })
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.details = details
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The answer to a request that failed, as an error. */
export const apiErrorOf = async (response: Response): Promise<ApiError> => {
  const body: unknown = await response.json().catch(() => undefined)
  const error = isObject(body) && isObject(body.error) ? body.error : {}
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return new ApiError({
    status: response.status,
    // A code that is newer than this client is a code nevertheless.
    code: (textOf(error.code) ?? 'UNKNOWN') as ApiErrorCode,
    message: textOf(error.message) ?? `The answer is ${response.status}`,
    details: error.details,
    requestId: textOf(error.requestId) ?? response.headers.get('X-Request-Id') ?? undefined,
    retryAfter: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  })
}
