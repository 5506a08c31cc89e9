import { ApiError, apiErrorOf } from './api-error.ts'

/** Milliseconds. */
const timeout = 30_000
const base = 300
/** Waits longer than that are the caller's to decide about. */
const patience = 3_000
const maxTries = 3

export type Send = (request: Request) => Promise<Response>

/** The same request twice does what it does once. */
const isRepeatable = ({ method, headers }: Request): boolean =>
  ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method) || headers.has('Idempotency-Key')

const sleep = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms)
  })

/** @throws ApiError for every answer that is no success, and for none */
const once = async (fetch: Send, request: Request): Promise<Response> => {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeout)])
  let response
  try {
    response = await fetch(new Request(request, { signal }))
  } catch (cause) {
    // The caller's own abort is no failure of ours.
    request.signal.throwIfAborted()
    throw new ApiError({ status: 0, code: 'NETWORK', message: 'The API cannot be reached', cause })
  }
  if (!response.ok) throw await apiErrorOf(response)
  return response
}

/** Milliseconds until it is worth trying again; undefined: it is not. */
const waitAfter = (error: unknown, tries: number): number | undefined => {
  if (!(error instanceof ApiError) || tries >= maxTries) return undefined
  if (error.code !== 'NETWORK' && error.status !== 503) return undefined
  const wait = Math.max(Math.random() * base * 2 ** tries, error.retryAfter ?? 0)
  return wait <= patience ? wait : undefined
}

/** Sends what may be repeated again after a failure that may pass. @throws ApiError */
export const createSend =
  (fetch: Send): Send =>
  async (request) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(fetch, request.clone())
      } catch (error) {
        const wait = isRepeatable(request) ? waitAfter(error, tries) : undefined
        if (wait === undefined) throw error
        await sleep(wait)
      }
    }
  }
