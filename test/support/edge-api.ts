import { exports } from 'cloudflare:workers'
import { expect } from 'vitest'
import { z } from 'zod'
import { expectDocumented } from './edge-contract.ts'

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import('../../workers/index.ts')
    }
  }
}

export const origin = 'https://api.selvedge.test'

type Options = {
  token?: string | undefined
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is. */
  raw?: BodyInit
}

const Reply = z.looseObject({
  data: z.unknown(),
  pagination: z.unknown(),
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    details: z.unknown().optional(),
    requestId: z.string(),
  }),
})

const parsed = (text: string, type: string | null): unknown =>
  type?.startsWith('application/json') && text !== '' ? JSON.parse(text) : undefined

/** How many HTTP calls to the database Server-Timing tells of. */
const callsOf = (headers: Headers): number =>
  Number(/desc="(\d+)"/.exec(headers.get('Server-Timing') ?? '')?.[1])

/** What holds for every answer, whatever was asked. */
const expectSound = (status: number, headers: Headers, body: unknown): void => {
  expect(headers.get('X-Request-Id')).toMatch(/^[\w.-]{8,128}$/)
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
  expect(status === 401).toBe(headers.has('WWW-Authenticate'))
  expect(status === 503 || status === 429).toBe(headers.has('Retry-After'))
  const { error } = Reply.partial().parse(body ?? {})
  if (error !== undefined) expect(error.requestId).toBe(headers.get('X-Request-Id'))
}

/** A request to the Worker as it is deployed; every answer is held against the OpenAPI document. */
export const api = async (method: string, path: string, { token, headers, body, raw }: Options = {}) => {
  const response = await exports.default.fetch(`${origin}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? raw : JSON.stringify(body),
  })
  const text = await response.text()
  const reply = parsed(text, response.headers.get('Content-Type'))
  expectSound(response.status, response.headers, reply)
  expectDocumented(method, new URL(path, origin).pathname, response.status, reply)
  const { data, pagination, error } = Reply.partial().parse(reply ?? {})
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: reply,
    data,
    pagination,
    error,
    code: error?.code,
    details: error?.details,
    calls: callsOf(response.headers),
  }
}
