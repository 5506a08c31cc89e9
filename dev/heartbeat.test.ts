import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { heartbeatId, startHeartbeat } from './heartbeat.ts'

const onSilent = vi.fn()
const fetched = vi.fn<typeof fetch>()
let over: AbortController
beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('fetch', fetched)
  over = new AbortController()
})
afterEach(() => {
  over.abort()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.resetAllMocks()
})

const start = () => startHeartbeat({ url: 'http://x/health', signal: over.signal, onSilent })
const never = () => new Promise<Response>(() => {})

it('an answer is a sign of life, whatever its status', async () => {
  fetched.mockImplementation(() => Promise.resolve(new Response('broken', { status: 500 })))
  start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(onSilent).not.toHaveBeenCalled()
  expect(new Headers(fetched.mock.calls[0]?.[1]?.headers).get('x-request-id')).toBe(heartbeatId)
})

it.each([
  ['no answer', never],
  ['a refused connection', () => Promise.reject(new TypeError('fetch failed'))],
])('five seconds of %s are silence, told once', async (_, answer) => {
  fetched.mockImplementation(answer)
  start()
  await vi.advanceTimersByTimeAsync(5_900)
  expect(onSilent).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(onSilent).toHaveBeenCalledOnce()
})

it('a runtime too busy for /health that still answers requests is not silent', async () => {
  fetched.mockImplementation(never)
  const sign = start()
  for (let i = 0; i < 10; i++) {
    await vi.advanceTimersByTimeAsync(4_000)
    sign()
  }
  expect(onSilent).not.toHaveBeenCalled()
})

it('nothing is asked any more once it is over', async () => {
  fetched.mockImplementation(never)
  start()
  over.abort()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(fetched).not.toHaveBeenCalled()
  expect(onSilent).not.toHaveBeenCalled()
})
