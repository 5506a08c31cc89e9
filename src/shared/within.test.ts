import { describe, expect, it } from 'vitest'
import { sleep } from './backoff.ts'
import { TimeoutError, within } from './within.ts'

const after = async <T>(milliseconds: number, value: T): Promise<T> => {
  await sleep(milliseconds)
  return value
}

const block = (milliseconds: number): void => {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

describe('within', () => {
  it('brings what the promise brings', async () => {
    expect(await within(1_000, after(5, 'answer'))).toBe('answer')
    await expect(within(1_000, Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  })

  it('gives up on a promise that never settles, and ignores one that fails later', async () => {
    await expect(within(20, new Promise(() => {}))).rejects.toThrow(TimeoutError)
    const failing = after(60, 'x').then(() => Promise.reject(new Error('too late')))
    await expect(within(20, failing)).rejects.toThrow('No answer within 20 ms')
    await sleep(80)
  })

  it('does not blame the other side for time in which nobody here listened', async () => {
    const answer = within(50, after(20, 'answer'))
    block(200)
    expect(await answer).toBe('answer')
  })
})
