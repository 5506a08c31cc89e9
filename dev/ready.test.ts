import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { untilReady } from './ready.ts'

const fetched = vi.fn<typeof fetch>()
beforeEach(() => void vi.stubGlobal('fetch', fetched))
afterEach(() => void vi.unstubAllGlobals())

it('asks on through refusals and 503 until there is a 200', async () => {
  fetched.mockRejectedValueOnce(new TypeError('fetch failed'))
  fetched.mockResolvedValueOnce(new Response('down', { status: 503 }))
  fetched.mockResolvedValueOnce(new Response('{}'))
  await untilReady('http://x/ready')
  expect(fetched).toHaveBeenCalledTimes(3)
})

it('gives up with the last answer in one sentence', async () => {
  fetched.mockImplementation(() => Promise.resolve(new Response('{"database":"down"}', { status: 503 })))
  const waiting = untilReady('http://x/ready', 300)
  await expect(waiting).rejects.toThrow(
    'http://x/ready was not ready within 0 s: answered 503 {"database":"down"}',
  )
})
